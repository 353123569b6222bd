#ifndef HL_COMMON_RULES_INNER_H
#define HL_COMMON_RULES_INNER_H

#include "common/rules.h"

/* The parts of rules_judge(), for rules*.c alone. */
#define SHOW(s) (int)(s).n, (const char *)(s).p
#define BIT(kind) (UINT64_C(1) << (kind))

/* Who may send a message about the target. */
enum teller { TELLER_ANY, TELLER_SENDER, TELLER_RECIPIENT, TELLER_EITHER };

/* What each kind needs: of its key, of a second person, of its target. */
struct duty {
    unsigned kind;
    unsigned any; /* one of these permissions */
    bool two;     /* draft and release, by two where the rule binds */
    enum teller teller;
    uint64_t targets; /* kinds that refs[0] may be; 0: no target */
};

struct judging {
    const struct envelope *env;
    const struct rules_facts *f;
    const struct duty *duty;
    struct verdict *v;
    struct channel_facts channel;
    struct key_facts key; /* of the stamp */
};

/** rules_refuse - put the sentence into the verdict; returns @rc. */
int rules_refuse(struct judging *j, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** rules_agreement - channel, host, members, content and the two-person rule; 0 or the refusal. */
int rules_agreement(struct judging *j);

#endif
