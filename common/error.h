#ifndef HL_COMMON_ERROR_H
#define HL_COMMON_ERROR_H

/*
 * One enum of failures, one table of texts, for every program and for the wire.
 *
 * A function that can fail returns 0 or a negated code (-HL_EFORMAT).  A code
 * never changes its number or its name: the number travels in REFUSED, the name
 * ("E-FORMAT") is what `hotline explain` takes and what scripts match.  New codes
 * are added at the end of their block.
 *
 * X(symbol, number, exit status, sentence, hint).  The sentence says what is the
 * case, the hint what the reader does now.  Exit statuses: enum hl_exit.
 */
#define HL_ERRORS(X)                                                                               \
    /* 1..29: the bytes themselves */                                                              \
    X(FORMAT, 1, EXIT_FAILED, "the bytes are not in the form that the format demands",            \
      "ask the sender for a fresh copy; if it comes from a broker, keep it as evidence")           \
    X(TOOBIG, 2, EXIT_REFUSED, "larger than its limit",                                           \
      "shorten the text, or send the annex in parts at a lower precedence")                        \
    X(SUITE, 3, EXIT_REFUSED, "an unknown suite or version", "update this installation")          \
    X(REALM, 4, EXIT_REFUSED, "it belongs to the other realm",                                    \
      "nothing crosses between live and exercise: use the installation of that realm")             \
    X(SIG, 5, EXIT_FAILED, "a signature does not verify",                                         \
      "do not act on it; call the party named as the sender and keep the bytes")                   \
    X(BADKEY, 6, EXIT_FAILED, "a public key is not canonical, of small order, or already in use", \
      "make a new key; never enrol this one")                                                      \
    X(COMMIT, 7, EXIT_FAILED, "the content is not what the sender committed to",                  \
      "do not act on it; keep it as evidence and ask the sender")                                  \
    X(ENC, 8, EXIT_FAILED, "the sealing does not follow from its key",                            \
      "do not act on it; keep it as evidence and ask the sender")                                  \
    X(OPEN, 9, EXIT_FAILED, "the message cannot be opened with the keys of this station",         \
      "the sender is told cannot-read; check clock, subkeys and PSK epoch")                        \
    X(PROOF, 10, EXIT_FAILED, "a proof does not lead to the signed root",                         \
      "do not trust this log; keep the proof and the checkpoint as evidence")                      \
    X(FORK, 11, EXIT_FAILED, "two signed checkpoints of one log contradict each other",           \
      "stop using this host and show both checkpoints to the other parties")                       \
    X(LEAF, 12, EXIT_FAILED, "the opening does not match the entry in the log",                   \
      "do not trust this opening; fetch it again and keep both")                                   \
    X(INCOMPLETE, 13, EXIT_INCOMPLETE, "it could not be verified: something is missing",          \
      "fetch what is named and verify again")                                                      \
    X(QUORUM, 14, EXIT_INCOMPLETE, "fewer witnesses have cosigned than the quorum needs",         \
      "the receipt counts as logged, not as witnessed; try again later")                           \
    /* 30..59: keys, documents, agreement */                                                       \
    X(KEY, 30, EXIT_KEY, "the signing key is in no card in force",                                \
      "publish a card that lists it, or sign with a key that your card lists")                     \
    X(STOPPED, 31, EXIT_KEY, "the signing key, party, agreement or host has been stopped",        \
      "use another key; a new card lifts a stop")                                                  \
    X(PERM, 32, EXIT_KEY, "the key is not permitted to sign this kind of message",                \
      "let a position with the permission sign it")                                                \
    X(HOLDER, 33, EXIT_REFUSED, "drafter and releaser must be two positions of two holders",      \
      "let another holder release it")                                                             \
    X(TWOPERSON, 34, EXIT_REFUSED, "the agreement demands release by a second position",          \
      "draft it, and let another holder run `hotline release`")                                    \
    X(CHAIN, 35, EXIT_KEY, "the document does not continue its chain",                            \
      "fetch the documents between; a card must be signed by the set before it")                   \
    X(FINGERPRINT, 36, EXIT_FAILED, "the root keys do not match the fingerprint given by hand",   \
      "do not use this card; compare fingerprints with the party in person")                       \
    X(CONFLICT, 37, EXIT_FAILED, "two documents of one serial, both validly signed",              \
      "changes of that party are frozen; keep both cards and call its officers")                   \
    X(VALIDITY, 38, EXIT_KEY, "not within its time of validity",                                  \
      "publish a renewed document; check the clock")                                               \
    X(CHANNEL, 39, EXIT_REFUSED, "no agreement known here has this channel",                      \
      "check the channel's name; submit the signed agreement first")                               \
    X(MEMBER, 40, EXIT_REFUSED, "sender or recipient is not a member of the channel",             \
      "see `hotline agreement explain` for who may write to whom")                                 \
    X(FORCE, 41, EXIT_REFUSED, "the agreement is not in force",                                   \
      "wait until the parties it needs have signed; see `hotline agreement show`")                 \
    X(CATEGORY, 42, EXIT_REFUSED, "the agreement does not allow this category",                   \
      "choose a category that `hotline agreement explain` lists")                                  \
    X(MARKING, 43, EXIT_REFUSED, "the agreement does not allow this marking",                     \
      "choose a marking that `hotline agreement explain` lists")                                   \
    X(HOST, 44, EXIT_REFUSED, "the agreement does not name this host",                            \
      "submit to a host that the agreement names")                                                 \
    X(KIND, 45, EXIT_REFUSED, "this kind of message may not look like that",                      \
      "check recipients, references, sealing and precedence of the form")                          \
    X(FLASH, 46, EXIT_REFUSED, "a FLASH is bare: no attachment, at most 4 KiB",                   \
      "send the annex as PRIORITY with a reference to the FLASH")                                  \
    X(PSK, 47, EXIT_REFUSED, "pre-shared key unknown, missing, or its step out of reach",         \
      "check `hotline psk list` and the clock; bring a new PSK by courier")                        \
    X(SUBKEY, 48, EXIT_KEY, "no announced subkey to seal to",                                     \
      "the recipient must announce subkeys; call it by telephone")                                 \
    X(ATTACHMENT, 49, EXIT_REFUSED, "the agreement does not accept this attachment",              \
      "see `hotline agreement explain` for accepted types and sizes")                              \
    X(TARGET, 50, EXIT_REFUSED, "the message that it refers to is unknown or does not fit",       \
      "check the number; a step refers to a message that you received")                            \
    X(DUPLICATE, 51, EXIT_REFUSED, "a key or name already stands under another name or use",      \
      "make a new key for each use")                                                               \
    /* 60..79: the broker's state */                                                               \
    X(NUMBER, 60, EXIT_REFUSED, "this number was already used for another envelope",              \
      "do not send again under this number; restore no old desk; begin a new chain")               \
    X(QUOTA, 61, EXIT_REFUSED, "the party has too much waiting at this broker",                   \
      "wait until recipients have fetched, or send at a higher precedence")                        \
    X(SPACE, 62, EXIT_REFUSED, "the broker is short of space and takes only urgent messages",     \
      "send IMMEDIATE or FLASH, or use another host; tell the host's operator")                    \
    X(DEAD, 63, EXIT_FAILED, "this log is closed for good: its host was rolled back",             \
      "use another host until the party announces the log's next generation")                      \
    X(ADMIT, 64, EXIT_REFUSED, "the host has not admitted this party",                            \
      "the operator puts a party's first card into its documents folder")                          \
    X(BROKER, 65, EXIT_FAILED_OTHER, "the broker cannot answer this now", "try again shortly")    \
    /* 80..109: this installation */                                                               \
    X(NOANSWER, 80, EXIT_QUEUED, "no answer: broker down or does not know this key",              \
      "the message is kept and sent again; check endpoint and transport key with the operator")    \
    X(WAITING, 81, EXIT_QUEUED, "NOT SENT: WAITING FOR RELEASE",                                  \
      "another holder runs `hotline release`")                                                     \
    X(QUEUED, 82, EXIT_QUEUED, "kept on this desk, not yet recorded by any host",                 \
      "it is sent again by itself; see `hotline status`")                                          \
    X(DEADLINE, 83, EXIT_DEADLINE, "not acknowledged in the time given",                          \
      "the attempt is on record; telephone the recipient")                                         \
    X(USAGE, 84, EXIT_USAGE, "the command line is not right", "see `hotline help`")               \
    X(CONFIG, 85, EXIT_USAGE, "a settings file is not right", "correct the line named")           \
    X(NOENT, 86, EXIT_FAILED_OTHER, "not found", "check the name or the number")                  \
    X(EXIST, 87, EXIT_FAILED_OTHER, "it exists already and is not overwritten",                   \
      "choose another name, or move the old one away")                                             \
    X(MODE, 88, EXIT_KEY, "a secret file, or its folder, is open to others",                      \
      "chmod 0400 the file and 0700 its folder; both must be this user's")                         \
    X(PASS, 89, EXIT_KEY, "the passphrase does not open the key", "type it again")                \
    X(NOKEY, 90, EXIT_KEY, "the secret key is not here",                                          \
      "see `hotline config`, or `hotlined --dump-config`, for where it belongs")                  \
    X(DUTY, 91, EXIT_KEY, "no position is on duty at this desk", "run `hotline duty begin`")      \
    X(BUSY, 92, EXIT_FAILED_OTHER, "another process holds it", "wait, or end the other process")  \
    X(NOMEM, 93, EXIT_FAILED_OTHER, "out of memory", "close other programs")                      \
    X(SYS, 94, EXIT_FAILED_OTHER, "the system refused a call", "see the line before this one")    \
    X(STORE, 95, EXIT_FAILED_OTHER, "the store is damaged or cannot be written",                  \
      "keep the files as they are; check disk and file system")                                    \
    X(FENCED, 96, EXIT_FAILED_OTHER, "another writer has taken over this store",                  \
      "end this process; only one broker may write")                                               \
    X(STATE, 97, EXIT_FAILED_OTHER, "that cannot be done in the present state",                   \
      "see `hotline status`")                                                                      \
    X(AMBIGUOUS, 98, EXIT_USAGE, "several messages have this number",                             \
      "add its channel: NUMBER CHANNEL")                                                          \
    X(CANNOTREAD, 99, EXIT_FAILED, "the recipient could not read the message",                    \
      "send it again; see the code of the step")

/* Exit statuses of every program (reference: `hotline help exit-codes`). */
enum hl_exit {
    EXIT_DONE = 0,
    EXIT_FAILED_OTHER = 1, /* unexpected failure */
    EXIT_USAGE = 2,        /* wrong usage or settings */
    EXIT_FAILED = 3,       /* verification FAILED: evidence of tampering; nothing else */
    EXIT_INCOMPLETE = 4,   /* could not be verified */
    EXIT_REFUSED = 5,      /* refused by policy */
    EXIT_QUEUED = 6,       /* not sent or not delivered yet */
    EXIT_DEADLINE = 7,     /* deadline passed */
    EXIT_KEY = 8           /* key missing, untrusted, stopped, wrong permission */
};

#define HL_ENUM(sym, num, exit, text, hint) HL_E##sym = num,
enum hl_error { HL_ERRORS(HL_ENUM) HL_EMAX = 127 };
#undef HL_ENUM

/** error_name - "E-FORMAT" for HL_EFORMAT or -HL_EFORMAT; "E-UNKNOWN" otherwise.  Static. */
const char *error_name(int code);
/** error_text - the sentence; never NULL.  Static. */
const char *error_text(int code);
/** error_hint - what to do now; never NULL.  Static. */
const char *error_hint(int code);
/** error_exit - the exit status for a return value; 0 for 0, 1 for an unknown code. */
int error_exit(int code);
/** error_by_name - the positive code for "E-FORMAT" or "EFORMAT" (any case); 0 when there is none. */
int error_by_name(const char *name);
/** error_next - iterates: the code after @code in ascending order, 0 at the end; start with 0. */
int error_next(int code);

#endif
