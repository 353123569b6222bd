#include "server/broker.h"
#include "tests/rig.h"
#include "tests/world.h"

static void test_receipt(void **state)
{
    struct rig r;
    struct world_message m;
    struct rig_mail mail;
    struct frame f;

    (void)state;
    rig_open(&r);
    rig_connect(&r, 1, "borealia.diplomatic");
    rig_connect(&r, 2, "arcadia.diplomatic");
    world_message_init(&m, &r.w);
    rig_mail(&mail, &r, &m);
    CHECK_EQ(rig_record(&r, 1, "borealia.diplomatic", 7, &mail, &f), 0, "recorded");
    rig_check_receipt(&r, &f, &mail, "receipt");
    CHECK_EQ(rig_take(&r, 2, VERB_DELIVER, &f), 1, "delivered");
    rig_mail_release(&mail);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receipt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
