#ifndef HL_KEYS_KEYFILE_TEXT_H
#define HL_KEYS_KEYFILE_TEXT_H

#include "keys/keyfile.h"

/* The text of a key file without the file: what is parsed from hostile bytes, and what is written. */
#define KEYFILE_TEXT_MAX 8192

/** keyfile_text_info - the head alone.  -HL_EFORMAT, -HL_EREALM, -HL_EBADKEY. */
int keyfile_text_info(struct span text, enum realm realm, struct keyfile_info *info);
/** keyfile_text_open - see keyfile_load(). */
int keyfile_text_open(struct span text, enum realm realm, enum key_use use, const struct secret *pass, struct secret **out);
/** keyfile_text_put - append to @out, a guarded buffer, the file that holds @secret. */
int keyfile_text_put(struct buf *out, enum realm realm, const struct keyfile_info *info,
                     const struct secret *secret, const struct secret *pass);

/* How file_publish() and keyfile_remove() name what a power cut may leave behind. */
#define KEYFILE_LEFTOVER ".new-"
/** keyfile_remove - destroy a file of a ring, whatever is in it. */
int keyfile_remove(const char *path);

#endif
