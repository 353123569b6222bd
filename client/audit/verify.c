#include "client/audit/verify.h"

#include "client/audit/answers.h"

static int judge_records(const struct mirror *m, const struct audit_tree *t, struct audit_report *r)
{
    struct fold f;
    int rc = fold_init(&f, m, t, r);

    if (!rc)
        rc = fold_run(&f);
    if (!rc && !r->failed)
        rc = answers_run(&f);
    if (!rc)
        rc = numbers_report(&f.numbers, r);
    fold_release(&f);
    return rc;
}

int audit_verify(const char *dir, struct audit_report *r)
{
    struct audit_tree t = { 0 };
    struct mirror m;
    struct buf why;
    int rc;

    buf_init(&why, 2000);
    rc = mirror_load(dir, &m, &why);
    if (rc == -HL_EINCOMPLETE)
        audit_missing(r, "%s", buf_str(&why));
    buf_release(&why);
    if (rc)
        return rc == -HL_EINCOMPLETE ? 0 : rc;
    r->realm = m.realm;
    rc = audit_tree(&m, &t, r);
    if (!rc && !r->failed)
        rc = judge_records(&m, &t, r);
    audit_tree_release(&t);
    mirror_release(&m);
    return rc;
}
