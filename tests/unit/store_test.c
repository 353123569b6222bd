#include "tests/check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "server/log.h"
#include "tests/store_sample.h"

/* What is staged and committed reads back, byte for byte, here and after reopening, and through a
 * reader. */

static struct sample sample;

static void check_read(struct store *st, uint64_t n)
{
    struct stored got = { 0 };
    struct buf body;

    sample_envelope(&sample, n);
    CHECK_EQ(store_read(st, n, &got), 0, "read");
    CHECK_EQ(got.index, n, "index");
    CHECK_EQ(got.time_ms, sample.e.time_ms, "time");
    CHECK_EQ(got.kind, sample.e.kind, "kind");
    CHECK_EQ(got.message_kind, sample.e.message_kind, "message kind");
    CHECK_EQ(got.precedence, sample.e.precedence, "precedence");
    CHECK_EQ(got.body_len, sample.e.body_len, "body length");
    CHECK_BYTES(got.salt, sample.salt, 32, "salt");
    CHECK_EQ(span_eq(buf_span(&got.record), sample.e.record), 1, "record");
    CHECK_EQ(span_eq(buf_span(&got.wraps), sample.e.wraps), 1, "wraps");
    buf_init(&body, 1 << 20);
    for (uint64_t i = 0; i * 32768 < got.body_len; i++)
        CHECK_EQ(store_read_chunk(st, n, i, &body), 0, "chunk");
    CHECK_EQ(store_read_chunk(st, n, (got.body_len + 32767) / 32768, &body), -HL_ENOENT,
             "behind the last chunk");
    CHECK_EQ(body.n, sample.e.body_len, "body");
    CHECK_BYTES(body.p, sample.body, body.n, "body");
    buf_release(&body);
    stored_release(&got);
}

static void check_facts(struct store *st, uint64_t n)
{
    uint64_t index = 0;
    uint8_t id[32], none[32];

    sample_envelope(&sample, n);
    sample_hash(none, "none", n);
    CHECK_EQ(store_find_id(st, sample.id, &index), 0, "id");
    CHECK_EQ(index, n, "id");
    CHECK_EQ(store_find_mid(st, sample.mid, &index), 0, "mid");
    CHECK_EQ(index, n, "mid");
    CHECK_EQ(
        store_find_number(st, sample.e.sender, sample.channel, sample.chain, n + 1, &index, id), 0,
        "number");
    CHECK_EQ(index, n, "number");
    CHECK_BYTES(id, sample.id, 32, "number's id");
    CHECK_EQ(store_find_number(st, sample.e.sender, sample.channel, none, n + 1, &index, id),
             -HL_ENOENT, "another chain");
    CHECK_EQ(
        store_find_number(st, sample.e.sender, sample.channel, sample.chain, n + 2, &index, id),
        -HL_ENOENT, "another number");
    CHECK_EQ(
        store_find_number(st, span_str("doria.x"), sample.channel, sample.chain, n + 1, &index, id),
        -HL_ENOENT, "another sender");
    CHECK_EQ(store_find_id(st, none, &index), -HL_ENOENT, "no id");
    CHECK_EQ(store_find_mid(st, none, &index), -HL_ENOENT, "no mid");
}

static void entries_read_back(void **state)
{
    struct folder f;
    struct opened o;
    struct store *reader;
    struct store_head head;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(o.head.size, 0, "empty");
    CHECK_EQ(opened_append(&o, 0, 40, false), 0, "commit");
    CHECK_EQ(opened_append(&o, 40, 41, false), 0, "commit");
    CHECK_EQ(store_open_reader(&f.conf, &reader, &head), 0, "reader");
    CHECK_EQ(head.size, 41, "reader's head");
    for (uint64_t n = 0; n < 41; n++) {
        check_read(o.st, n);
        check_read(reader, n);
        check_facts(o.st, n);
    }
    CHECK_EQ(store_read(o.st, 41, &(struct stored){ 0 }), -HL_ENOENT, "behind the end");
    CHECK_EQ(store_checkpoint_wal(reader), 0, "reader moves the WAL");
    store_close(reader);
    opened_close(&o);

    CHECK_EQ(opened_open(&o, &f.conf), 0, "reopen");
    CHECK_EQ(o.head.size, 41, "reopened size");
    CHECK_EQ(o.head.time_ms, 1700000000040, "reopened time");
    for (uint64_t n = 0; n < 41; n++) {
        check_read(o.st, n);
        check_facts(o.st, n);
    }
    opened_close(&o);
    folder_remove(f.dir);
}

/* A message recorded twice (sealed again under another number): the first entry is the message's.
 */
static void first_of_a_message(void **state)
{
    struct folder f;
    struct opened o;
    uint64_t index;
    uint8_t salt[32];

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&o, 0, 2, false), 0, "commit");
    sample_envelope(&sample, 2);
    sample_hash(sample.mid, "mid", 1);
    CHECK_EQ(log_append(o.log, &sample.e, salt), 0, "again");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_find_mid(o.st, sample.mid, &index), 0, "mid");
    CHECK_EQ(index, 1, "the first");
    opened_close(&o);
    folder_remove(f.dir);
}

struct listed {
    uint64_t n, value[16], other[16];
    int stop_with;
};

static int see_mailbox(void *arg, uint64_t index, unsigned precedence, bool held)
{
    struct listed *s = arg;

    s->value[s->n] = index;
    s->other[s->n++] = precedence + (held ? 100 : 0);
    return s->stop_with;
}

static int see_event(void *arg, uint64_t index)
{
    struct listed *s = arg;

    s->value[s->n++] = index;
    return 0;
}

static int see_due(void *arg, uint64_t index, uint64_t due_ms)
{
    struct listed *s = arg;

    s->value[s->n] = index;
    s->other[s->n++] = due_ms;
    return 0;
}

static int see_number(void *arg, const uint8_t channel[static 32], const uint8_t chain[static 16],
                      uint64_t seq)
{
    struct listed *s = arg;
    uint8_t want[32];

    sample_hash(want, "chain", seq == 99 ? 7 : 0);
    CHECK_BYTES(chain, want, 16, "chain");
    for (uint64_t c = 0; c < 3; c++) {
        sample_hash(want, "channel", c);
        if (memcmp(channel, want, 32) == 0)
            s->value[c] = seq;
    }
    s->n++;
    return 0;
}

static void mailboxes_events_dues(void **state)
{
    const struct span a = span_str("arcadia.technical"), b = span_str("borealia.technical");
    struct listed seen = { 0 };
    uint64_t count, bytes;
    struct folder f;
    struct opened o;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&o, 0, 10, false), 0, "commit");
    CHECK_EQ(store_stage_mailbox(o.st, a, 9, 3, false), 0, "mailbox");
    CHECK_EQ(store_stage_mailbox(o.st, a, 3, 0, true), 0, "held");
    CHECK_EQ(store_stage_mailbox(o.st, b, 4, 1, false), 0, "other's");
    for (uint64_t i = 2; i < 8; i++)
        CHECK_EQ(store_stage_event(o.st, a, i), 0, "event");
    CHECK_EQ(store_stage_event(o.st, a, 4), 0, "event twice");
    CHECK_EQ(store_stage_due(o.st, 5, 1000), 0, "due");
    CHECK_EQ(store_stage_due(o.st, 7, 2000), 0, "due");
    CHECK_EQ(store_each_mailbox(o.st, a, see_mailbox, &seen), 0, "nothing before the commit");
    CHECK_EQ(seen.n, 0, "nothing before the commit");
    CHECK_EQ(opened_commit(&o), 0, "commit without entries");

    CHECK_EQ(store_each_mailbox(o.st, a, see_mailbox, &seen), 0, "mailbox");
    CHECK_EQ(seen.n, 2, "mailbox");
    CHECK_EQ(seen.value[0], 3, "first");
    CHECK_EQ(seen.other[0], 100, "held");
    CHECK_EQ(seen.value[1], 9, "second");
    CHECK_EQ(seen.other[1], 3, "precedence");
    CHECK_EQ(store_mailbox_load(o.st, a, &count, &bytes), 0, "load");
    CHECK_EQ(count, 2, "count");
    CHECK_EQ(bytes, 2 * 4112, "bytes");
    CHECK_EQ(store_mailbox_load(o.st, span_str("doria.x"), &count, &bytes), 0, "load of nobody");
    CHECK_EQ(count + bytes, 0, "load of nobody");
    seen = (struct listed){ .stop_with = -HL_EBROKER };
    CHECK_EQ(store_each_mailbox(o.st, a, see_mailbox, &seen), -HL_EBROKER, "stopped");
    CHECK_EQ(seen.n, 1, "stopped");

    seen = (struct listed){ 0 };
    CHECK_EQ(store_each_event(o.st, a, 3, 3, see_event, &seen), 0, "events");
    CHECK_EQ(seen.n, 3, "events");
    CHECK_EQ(seen.value[0] * 100 + seen.value[1] * 10 + seen.value[2], 345, "events from 3");
    seen = (struct listed){ 0 };
    CHECK_EQ(store_each_due(o.st, see_due, &seen), 0, "dues");
    CHECK_EQ(seen.n, 2, "dues");
    CHECK_EQ(seen.other[0], 1000, "due");

    CHECK_EQ(store_stage_mailbox(o.st, a, 3, 0, false), 0, "let go");
    CHECK_EQ(store_stage_mailbox_drop(o.st, a, 9), 0, "drop");
    CHECK_EQ(store_stage_mailbox_drop(o.st, a, 77), 0, "drop what is not there");
    CHECK_EQ(store_stage_due(o.st, 5, 1500), 0, "later");
    CHECK_EQ(store_stage_due_drop(o.st, 7), 0, "drop");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    seen = (struct listed){ 0 };
    CHECK_EQ(store_each_mailbox(o.st, a, see_mailbox, &seen), 0, "mailbox");
    CHECK_EQ(seen.n, 1, "mailbox");
    CHECK_EQ(seen.other[0], 0, "no longer held");
    seen = (struct listed){ 0 };
    CHECK_EQ(store_each_due(o.st, see_due, &seen), 0, "dues");
    CHECK_EQ(seen.n, 1, "dues");
    CHECK_EQ(seen.other[0], 1500, "due");
    opened_close(&o);
    folder_remove(f.dir);
}

static void numbers_of_a_sender(void **state)
{
    struct listed seen = { 0 };
    struct folder f;
    struct opened o;
    uint8_t salt[32];

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&o, 0, 13, false), 0, "commit"); /* arcadia: odd numbers */
    sample_envelope(&sample, 13);
    sample_hash(sample.channel, "channel", 0);
    sample_hash(sample.chain, "chain", 7);
    sample.e.seq = 99;
    CHECK_EQ(log_append(o.log, &sample.e, salt), 0, "a new chain");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_each_number(o.st, span_str("arcadia.technical"), see_number, &seen), 0, "each");
    CHECK_EQ(seen.n, 3, "one for each channel");
    CHECK_EQ(seen.value[0], 99, "channel 0: the new chain is ahead");
    CHECK_EQ(seen.value[1], 8, "channel 1: envelope 7");
    CHECK_EQ(seen.value[2], 12, "channel 2: envelope 11");
    seen = (struct listed){ 0 };
    CHECK_EQ(store_each_number(o.st, span_str("doria.x"), see_number, &seen), 0, "nobody");
    CHECK_EQ(seen.n, 0, "nobody");
    opened_close(&o);
    folder_remove(f.dir);
}

static int see_upload(void *arg, const uint8_t id[static 32])
{
    struct listed *s = arg;

    s->value[s->n++] = id[0];
    return 0;
}

static void uploads_become_bodies(void **state)
{
    struct listed seen = { 0 };
    struct folder f;
    struct opened o;
    struct buf got;
    uint64_t have;
    uint8_t salt[32], id[32];

    (void)state;
    folder_make(&f);
    buf_init(&got, 1 << 20);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    sample_envelope(&sample, 0); /* 80,000 bytes: three chunks */
    sample_hash(id, "other", 0);
    CHECK_EQ(store_stage_chunk(o.st, sample.id, 0, SPAN(sample.body, 32768), 5000), 0, "chunk 0");
    CHECK_EQ(store_stage_chunk(o.st, id, 0, SPAN("x", 1), 6000), 0, "another upload");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_stage_chunk(o.st, sample.id, 1, SPAN(sample.body + 32768, 32768), 7000), 0,
             "chunk 1");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    opened_close(&o);

    CHECK_EQ(opened_open(&o, &f.conf), 0, "reopen amid the upload");
    CHECK_EQ(store_upload_have(o.st, sample.id, &have), 0, "have");
    CHECK_EQ(have, 2, "have");
    CHECK_EQ(store_upload_chunk(o.st, sample.id, 1, &got), 0, "uploaded chunk");
    CHECK_BYTES(got.p, sample.body + 32768, 32768, "uploaded chunk");
    CHECK_EQ(store_upload_chunk(o.st, sample.id, 2, &got), -HL_ENOENT, "not yet");
    CHECK_EQ(store_each_upload_before(o.st, 6500, see_upload, &seen), 0, "stale uploads");
    CHECK_EQ(seen.n, 1, "stale uploads");
    CHECK_EQ(seen.value[0], id[0], "stale uploads");
    CHECK_EQ(store_stage_chunk(o.st, sample.id, 2, SPAN(sample.body + 65536, 80000 - 65536), 8000),
             0, "chunk 2");
    sample.e.body = SPAN_NONE;
    CHECK_EQ(log_append(o.log, &sample.e, salt), 0, "entry with its last chunk");
    CHECK_EQ(store_stage_upload_drop(o.st, id), 0, "drop the other");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    check_read(o.st, 0);
    CHECK_EQ(store_upload_have(o.st, sample.id, &have), 0, "no upload any more");
    CHECK_EQ(have, 0, "no upload any more");
    CHECK_EQ(store_upload_have(o.st, id, &have), 0, "dropped");
    CHECK_EQ(have, 0, "dropped");
    CHECK_EQ(store_upload_chunk(o.st, id, 0, &got), -HL_ENOENT, "dropped");
    CHECK_EQ(opened_append(&o, 1, 20, false), 0, "later bodies take other numbers");
    for (uint64_t n = 0; n < 20; n++)
        check_read(o.st, n);
    buf_release(&got);
    opened_close(&o);
    folder_remove(f.dir);
}

static int see_document(void *arg, const char *key, uint64_t index, uint64_t time_ms,
                        struct span note)
{
    struct listed *s = arg;

    CHECK_EQ(note.n, strlen(key) * 1000, key);
    s->value[s->n] = index;
    s->other[s->n++] = time_ms;
    return 0;
}

static void documents_and_notes(void **state)
{
    static uint8_t note[30000];
    struct listed seen = { 0 };
    struct folder f;
    struct opened o;
    struct buf got;

    (void)state;
    folder_make(&f);
    buf_init(&got, 65536);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(store_note(o.st, STORE_NOTE_DEAD, &got), -HL_ENOENT, "no note yet");
    CHECK_EQ(store_stage_document(o.st, "card/arcadia", 7, 70, SPAN(note, 12000)), 0, "document");
    CHECK_EQ(store_stage_document(o.st, "card/borealia", 3, 30, SPAN(note, 1)), 0, "document");
    CHECK_EQ(store_stage_document(o.st, "card/borealia", 9, 90, SPAN(note, 13000)), 0, "replaced");
    CHECK_EQ(store_stage_document(o.st, "stop/1", 8, 80, SPAN(note, 6000)), 0, "document");
    CHECK_EQ(store_stage_note(o.st, STORE_NOTE_LOGGED, SPAN("old", 3)), 0, "note");
    CHECK_EQ(store_stage_note(o.st, STORE_NOTE_LOGGED, SPAN("newer", 5)), 0, "note");
    CHECK_EQ(store_stage_note(o.st, STORE_NOTE_WITNESSED, SPAN("w", 1)), 0, "note");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_stage_document_drop(o.st, "stop/1"), 0, "drop");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_each_document(o.st, see_document, &seen), 0, "each");
    CHECK_EQ(seen.n, 2, "each");
    CHECK_EQ(seen.value[0], 7, "by index");
    CHECK_EQ(seen.value[1], 9, "by index");
    CHECK_EQ(seen.other[1], 90, "time");
    CHECK_EQ(store_note(o.st, STORE_NOTE_LOGGED, &got), 0, "note");
    CHECK_EQ(span_eq_str(buf_span(&got), "newer"), 1, "note");
    opened_close(&o);
    buf_release(&got);
    folder_remove(f.dir);
}

/* A second writer takes over: the first changes nothing any more. */
static void stale_writer_is_fenced(void **state)
{
    struct folder f;
    struct opened first, second;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&first, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&first, 0, 3, false), 0, "commit");
    CHECK_EQ(opened_open(&second, &f.conf), 0, "take over");
    CHECK_EQ(second.head.size, 3, "sees what was committed");
    CHECK_EQ(opened_append(&first, 3, 5, false), -HL_EFENCED, "fenced");
    CHECK_EQ(opened_append(&second, 3, 4, false), 0, "the new one writes");
    CHECK_EQ(opened_commit(&first), -HL_ESTORE, "and for good");
    CHECK_EQ(store_read(second.st, 4, &(struct stored){ 0 }), -HL_ENOENT, "nothing of the first");
    opened_close(&first);
    check_read(second.st, 3);
    opened_close(&second);
    folder_remove(f.dir);
}

/* The head only advances from the size that the store has. */
static void wrong_size_is_fenced(void **state)
{
    struct folder f;
    struct opened o;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&o, 0, 2, false), 0, "commit");
    sample_envelope(&sample, 2);
    sample.e.index = 2;
    CHECK_EQ(store_stage_entry(o.st, &sample.e), 0, "stage");
    CHECK_EQ(
        store_commit(o.st, &(struct store_head){ .size = 1 }, &(struct store_head){ .size = 2 }),
        -HL_EFENCED, "another size");
    opened_close(&o);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "reopen");
    CHECK_EQ(o.head.size, 2, "unchanged");
    opened_close(&o);
    folder_remove(f.dir);
}

static void entries_as_bundles(void **state)
{
    static uint8_t card[200] = "a public document";
    struct store_entry doc = { .kind = ENTRY_DOCUMENT, .record = SPAN(card, sizeof(card)) };
    struct folder f;
    struct opened o;
    struct buf out;
    uint8_t salt[32], entry[32];
    size_t n;

    (void)state;
    folder_make(&f);
    buf_init(&out, 1 << 20);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    CHECK_EQ(opened_append(&o, 0, 3, false), 0, "commit");
    doc.time_ms = log_time(o.log, 0);
    CHECK_EQ(log_append(o.log, &doc, salt), 0, "document");
    CHECK_EQ(opened_commit(&o), 0, "commit");
    CHECK_EQ(store_read_entries(o.st, 1, 100, 1 << 20, &out, &n), 0, "entries");
    CHECK_EQ(n, 3, "entries");
    CHECK_EQ(out.n, 34 + 34 + 2 + sizeof(card), "lengths");
    sample_envelope(&sample, 1);
    record_entry(entry, REALM_EXERCISE, sample.salt, sample.e.record);
    CHECK_EQ(get_u16(out.p), 32, "length");
    CHECK_BYTES(out.p + 2, entry, 32, "commitment");
    CHECK_EQ(get_u16(out.p + 68), sizeof(card), "length");
    CHECK_BYTES(out.p + 70, card, sizeof(card), "document");
    buf_clear(&out);
    CHECK_EQ(store_read_entries(o.st, 1, 100, 269, &out, &n), 0, "not all fit");
    CHECK_EQ(n, 2, "not all fit");
    CHECK_EQ(out.n, 68, "not all fit");
    buf_release(&out);
    opened_close(&o);
    folder_remove(f.dir);
}

static void files_are_private(void **state)
{
    static const char *const suffix[] = { "", "-wal", "-shm" };
    struct folder f;
    struct opened o;
    char name[128];
    struct stat st;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "create");
    for (size_t i = 0; i < COUNT(suffix); i++) {
        snprintf(name, sizeof(name), "%s%s", f.path, suffix[i]);
        CHECK_EQ(stat(name, &st), 0, name);
        CHECK_EQ(st.st_mode & 0777, 0600, name);
    }
    CHECK_EQ(store_space(o.st, &(uint64_t){ 0 }), 0, "space");
    opened_close(&o);
    folder_remove(f.dir);
}

/* Another process moves the WAL: it holds SQLite's checkpoint lock (byte 121 of the -shm file). */
static pid_t hold_checkpoint_lock(const char *path)
{
    char shm[128], c = 0;
    int ready[2];
    pid_t pid;

    snprintf(shm, sizeof(shm), "%s-shm", path);
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 121, .l_len = 1 };
        int fd = open(shm, O_RDWR);

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* also when the test fails */
        c = fd >= 0 && fcntl(fd, F_SETLKW, &lock) == 0;
        (void)!write(ready[1], &c, 1);
        pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    CHECK_EQ(c, 1, "lock held");
    close(ready[0]);
    close(ready[1]);
    return pid;
}

/* The WAL outgrows its place while the publisher is moving it: the writer goes on. */
static void wal_outgrown_while_another_moves_it(void **state)
{
    struct folder f;
    struct opened o;
    pid_t pid = 0;

    (void)state;
    folder_make(&f);
    CHECK_EQ(opened_open(&o, &f.conf), 0, "open");
    for (uint64_t n = 0; n < 120; n++) {
        if (n == 10)
            pid = hold_checkpoint_lock(f.path);
        sample_envelope(&sample, n);
        CHECK_EQ(log_append(o.log, &sample.e, sample.salt), 0, "append");
        CHECK_EQ(opened_commit(&o), 0, "commit");
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    CHECK_EQ(o.head.size, 120, "all of them");
    opened_close(&o);
    folder_remove(f.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_read_back),
        cmocka_unit_test(first_of_a_message),
        cmocka_unit_test(mailboxes_events_dues),
        cmocka_unit_test(numbers_of_a_sender),
        cmocka_unit_test(uploads_become_bodies),
        cmocka_unit_test(documents_and_notes),
        cmocka_unit_test(stale_writer_is_fenced),
        cmocka_unit_test(wrong_size_is_fenced),
        cmocka_unit_test(entries_as_bundles),
        cmocka_unit_test(files_are_private),
        cmocka_unit_test(wal_outgrown_while_another_moves_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
