#ifndef HL_CLIENT_AUDIT_MIRROR_DIR_H
#define HL_CLIENT_AUDIT_MIRROR_DIR_H

#include "common/name.h"
#include "common/tlog/quorum.h"
#include "common/tlog/tile.h"

/*
 * A mirror: one log as its reader holds it, in a folder that any tool for C2SP logs can read.
 *
 *   DIR/realm                "live\n" or "exercise\n"
 *   DIR/policy.txt           tlog-policy: the log's key, witnesses, quorum.  What the reader trusts
 *   DIR/pins                 lines "party hexfingerprint": first root sets, compared by hand
 *   DIR/checkpoint           the newest signed note, with its cosignatures
 *   DIR/checkpoints/<size>   signed notes of this and earlier sizes, decimal
 *   DIR/tile/...             tlog-tiles at the size of `checkpoint`: hash tiles and entry bundles
 *   DIR/openings/<index>     salt || record of entry <index>, decimal, as far as the reader may open
 *
 * Writing is in log order and durable: tiles before the checkpoint that needs them, by rename.  Whoever writes has
 * verified; the writer itself only refuses what cannot belong together: entries that do not lead to the note's
 * root, an opening that does not match its entry, another note of an old size, other bytes under a tile's name.
 */
#define MIRROR_DIR_MAX 512 /* of DIR, with its NUL */

struct mirror_dir;

/**
 * mirror_dir_open - make the folder, or take up where it stands.  -HL_EREALM (a mirror of the other realm),
 * -HL_ESTORE (its tiles do not lead to its checkpoint), -HL_ENOENT (a tile is missing), -HL_EFORMAT, -HL_ESYS, -HL_ENOMEM.
 */
int mirror_dir_open(const char *path, enum realm realm, struct mirror_dir **out);
void mirror_dir_close(struct mirror_dir *m);
/** mirror_dir_size - entries held: the index of the next one to put. */
uint64_t mirror_dir_size(const struct mirror_dir *m);
/** mirror_dir_put_policy - replace policy.txt; refuses what does not parse (errors of quorum_parse(), @why). */
int mirror_dir_put_policy(struct mirror_dir *m, struct span policy, struct buf *why);
/** mirror_dir_put_pin - 0, also when it stands; -HL_EFINGERPRINT when the party stands with another. */
int mirror_dir_put_pin(struct mirror_dir *m, struct span party, const uint8_t fp[static 32]);
/**
 * mirror_dir_put_entries - the entries from mirror_dir_size() on, as in a bundle: (u16 length || entry)*.  They are
 * kept in memory until a bundle is full or a checkpoint covers them; what a crash loses is fetched again.
 * -HL_EFORMAT, -HL_EFORK (other bytes stand there), -HL_ESYS, ...; after an error close the mirror.
 */
int mirror_dir_put_entries(struct mirror_dir *m, struct span bundle);
/**
 * mirror_dir_put_checkpoint - the note of exactly the entries held (again, when it has more cosignatures): writes partial
 * tiles, checkpoints/<size>, checkpoint, and then removes the partial tiles of the checkpoint before.
 * -HL_EFORMAT, -HL_EINCOMPLETE (another size than mirror_dir_size()), -HL_EPROOF (another root), -HL_EFORK, -HL_ESYS.
 */
int mirror_dir_put_checkpoint(struct mirror_dir *m, struct span note);
/**
 * mirror_dir_put_note - a verified note of the same or an earlier size into checkpoints/, and as checkpoint when it is of the
 * same size.  Of two notes of one size that with more signature lines is kept.  -HL_EFORMAT, -HL_EFORK (another root),
 * -HL_EINCOMPLETE (of entries that are not here), -HL_ESYS.
 */
int mirror_dir_put_note(struct mirror_dir *m, struct span note);
/** mirror_dir_put_opening - 0; -HL_ELEAF (does not match entry @index), -HL_EINCOMPLETE (entry not held on disk yet), -HL_EFORK. */
int mirror_dir_put_opening(struct mirror_dir *m, uint64_t index, const uint8_t salt[static 32], struct span record);
bool mirror_dir_has_opening(const struct mirror_dir *m, uint64_t index);

/* ---- reading ---- */

struct mirror_pin {
    char party[32];
    uint8_t fp[32];
};

struct mirror {
    char path[MIRROR_DIR_MAX];
    enum realm realm;
    struct quorum *policy;
    struct buf note; /* the newest checkpoint */
    size_t n_pins;
    struct mirror_pin *pin;
};

/**
 * mirror_load - read all but tiles and openings.  -HL_EINCOMPLETE: a file is missing or the policy or the pins do not
 * parse, so nothing can be judged; -HL_ETOOBIG, -HL_ESYS, -HL_ENOMEM.  @why names the file.
 */
int mirror_load(const char *path, struct mirror *m, struct buf *why);
void mirror_release(struct mirror *m);
/** mirror_opening - read the opening of entry @index into @out (cleared first).  -HL_ENOENT, -HL_EFORMAT (too short or too long). */
int mirror_opening(const struct mirror *m, uint64_t index, struct buf *out);
/** mirror_path - "<dir>/<name>" into @out. */
#define MIRROR_PATH_MAX 768
void mirror_path(char out[static MIRROR_PATH_MAX], const char *dir, const char *name);
#define MIRROR_OPENING_MAX (32 + 60000)

#endif
