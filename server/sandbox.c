#include "server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/error.h"

/* ---- Landlock: files only below the folders named ---- */

/* ABI 1; what later kernels add (refer, truncate, network) is left as it is. */
#define FILE_ACCESS                                                                                \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |   \
     LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR |                                 \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)
#define FOLDER_ACCESS                                                                              \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |  \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                              \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)

static int landlock_folder(int ruleset, const char *dir)
{
    struct landlock_path_beneath_attr rule = { .allowed_access = FOLDER_ACCESS };
    int rc = -1;

    rule.parent_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (rule.parent_fd >= 0) {
        rc = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
        close(rule.parent_fd);
    }
    return rc ? -HL_ESYS : 0;
}

static int sandbox_files(const char *const *dir, size_t n)
{
    struct landlock_ruleset_attr attr = { .handled_access_fs = FILE_ACCESS };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
    int rc = 0;

    if (fd < 0) {
        fprintf(stderr, "<5>sandbox: this kernel has no Landlock; files stay open\n");
        return 0;
    }
    for (size_t i = 0; i < n && !rc; i++)
        rc = landlock_folder(fd, dir[i]);
    if (!rc && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        rc = -HL_ESYS;
    close(fd);
    return rc;
}

/* ---- seccomp ---- */

/* No role ever needs these: who calls them is not our code any more. */
static const uint32_t deadly[] = {
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_unshare,
    SYS_setns,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_io_uring_setup,
    SYS_setuid,
    SYS_setgid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
};

/* Refused to every role: what reaches other processes
 * of this account, and connections that we begin. */
static const uint32_t outward[] = {
    SYS_connect,     SYS_kill,
    SYS_tkill,       SYS_rt_sigqueueinfo,
    SYS_pidfd_open,  SYS_rt_tgsigqueueinfo,
    SYS_pidfd_getfd, SYS_pidfd_send_signal,
};

/* The trade of the front alone. */
static const uint32_t network[] = { SYS_socket, SYS_bind, SYS_listen, SYS_accept, SYS_accept4 };

/* The front has no file, whether or not this kernel has Landlock. */
static const uint32_t files[] = {
    SYS_openat,    SYS_openat2,  SYS_unlinkat, SYS_renameat2, SYS_mkdirat,  SYS_linkat,
    SYS_symlinkat, SYS_truncate, SYS_fchmodat, SYS_fchownat,
#ifdef SYS_open /* older calls for the same, on machines that have them */
    SYS_open,      SYS_creat,    SYS_unlink,   SYS_rename,    SYS_renameat, SYS_mkdir,
    SYS_rmdir,     SYS_link,     SYS_symlink,  SYS_chmod,     SYS_chown,    SYS_lchown,
#endif
};

#define FIELD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define FILTER_MAX (24 + 2 * (COUNT(deadly) + COUNT(outward) + COUNT(network) + COUNT(files)))
#define X32_CALLS 0x40000000u /* the same calls under other numbers: AUDIT_ARCH_X86_64 has both */

struct filter {
    struct sock_filter op[FILTER_MAX];
    unsigned short n;
};

static void filter_add(struct filter *f, struct sock_filter op)
{
    f->op[f->n++] = op;
}

static void filter_calls(struct filter *f, const uint32_t *nr, size_t n, uint32_t action)
{
    for (size_t i = 0; i < n; i++) {
        filter_add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr[i], 0, 1));
        filter_add(f, (struct sock_filter)RETURN(action));
    }
}

/* Call @nr only with @own as its first argument: upon itself. */
static void filter_own(struct filter *f, uint32_t nr, uint32_t own)
{
    filter_add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4));
    filter_add(
        f, (struct sock_filter)FIELD(args[0])); /* its lower half: this machine is little-endian */
    filter_add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, own, 1, 0));
    filter_add(f, (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EPERM));
    filter_add(f, (struct sock_filter)FIELD(nr));
}

static void filter_machine(struct filter *f)
{
    filter_add(f, (struct sock_filter)FIELD(arch));
#if defined(__x86_64__)
    filter_add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
#elif defined(__aarch64__) && defined(__AARCH64EL__)
    filter_add(f,
               (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_AARCH64, 1, 0));
#else
#error "name the seccomp architecture of this machine"
#endif
    filter_add(f, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
    filter_add(f, (struct sock_filter)FIELD(nr));
    filter_add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1));
    filter_add(f, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
}

static int sandbox_calls(enum sandbox_role role)
{
    struct filter f = { .n = 0 };
    struct sock_fprog prog = { .filter = f.op };

    filter_machine(&f);
    filter_calls(&f, deadly, COUNT(deadly), SECCOMP_RET_KILL_PROCESS);
    filter_calls(&f, outward, COUNT(outward), SECCOMP_RET_ERRNO | EPERM);
    filter_own(&f, SYS_tgkill, (uint32_t)getpid()); /* abort() */
    filter_own(&f, SYS_prlimit64, 0);
    if (role == SANDBOX_FRONT)
        filter_calls(&f, files, COUNT(files), SECCOMP_RET_ERRNO | EACCES);
    else
        filter_calls(&f, network, COUNT(network), SECCOMP_RET_ERRNO | EPERM);
    filter_add(&f, (struct sock_filter)RETURN(SECCOMP_RET_ALLOW));
    prog.len = f.n;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0 ? 0 : -HL_ESYS;
}

int sandbox_enter(enum sandbox_role role, const char *const *dir, size_t n)
{
    const struct rlimit none = { 0, 0 };
    int rc = 0;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        return -HL_ESYS;
#ifndef HL_SAN /* the sanitizers read /proc and call what a filter forbids */
    rc = sandbox_files(dir, n);
    if (!rc)
        rc = sandbox_calls(role);
#else
    (void)role;
    (void)dir;
    (void)n;
    (void)sandbox_files;
    (void)sandbox_calls;
#endif
    return rc;
}
