#ifndef HL_SERVER_SANDBOX_H
#define HL_SERVER_SANDBOX_H

#include <stddef.h>

/*
 * What a process of hotlined may still do once it holds what it needs: no new privileges, no core dump, not
 * traceable; system calls that no role needs end it (seccomp); calls of another role's trade are refused, to the front
 * all that opens or changes files, to all what reaches other processes; files only below the folders named (Landlock, as
 * far as the kernel has it).  Applied before the first byte from outside is read, and before libzmq makes its threads.
 * It only ever takes away; what the kernel lacks is said on stderr, once.
 */
enum sandbox_role { SANDBOX_FRONT, SANDBOX_CORE, SANDBOX_SIGNER, SANDBOX_PUBLISHER };

/** sandbox_enter - @dir: folders that stay readable and writable (all below them), the rest is closed. 0, -HL_ESYS. */
int sandbox_enter(enum sandbox_role role, const char *const *dir, size_t n);

#endif
