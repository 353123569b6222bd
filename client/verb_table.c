#include "client/verb.h"
#include "client/verb_list.h"

#define MSG "number mid channel"
#define TARGET "target-number target-mid target-channel "
#define RELEASE "position alone break_glass wait_s pass "

/* Every verb: what it needs to begin, which pairs it takes ('*': several), what it keeps while it
 * waits. */
const struct verb_entry verb_entries[] = {
    { "send", verb_send_begin, verb_send_look, NEEDS_READY,
      TARGET RELEASE
      "channel to* kind precedence category marking seal_labels subject language form "
      "phrasebook field* text attachment ref* ack_within_s lifetime_s draft_only",
      sizeof(struct sending), NULL },
    { "retract", verb_retract_begin, verb_send_look, NEEDS_READY,
      MSG " position text language wait_s pass", sizeof(struct sending), NULL },
    { "drafts", verb_drafts_begin, NULL, NEEDS_NOTHING, "", 0, NULL },
    { "draft-show", verb_draft_show_begin, NULL, NEEDS_NOTHING, "draft mid", 0, NULL },
    { "draft-drop", verb_draft_drop_begin, NULL, NEEDS_NOTHING, "draft mid", 0, NULL },
    { "release", verb_release_begin, verb_send_look, NEEDS_READY, RELEASE "draft mid",
      sizeof(struct sending), NULL },
    { "release-prepare", verb_release_prepare_begin, NULL, NEEDS_READY,
      "draft mid key alone break_glass", 0, NULL },
    { "release-commit", verb_release_commit_begin, verb_send_look, NEEDS_READY, "id sig wait_s",
      sizeof(struct sending), NULL },
    { "inbox", verb_inbox_begin, NULL, NEEDS_DRAINED, "all limit", 0, NULL },
    { "outbox", verb_outbox_begin, NULL, NEEDS_DRAINED, "all limit", 0, NULL },
    { "show", verb_show_begin, NULL, NEEDS_DRAINED, MSG " mark", 0, NULL },
    { "thread", verb_thread_begin, NULL, NEEDS_DRAINED, MSG, 0, NULL },
    { "step", verb_step_begin, verb_step_look, NEEDS_DRAINED,
      MSG " kind code text language position typed wait_s pass", sizeof(struct stepping), NULL },
    { "watch", verb_watch_begin, verb_watch_look, NEEDS_NOTHING, "since count wait_s",
      sizeof(struct watch_state), NULL },
    { "status", verb_status_begin, NULL, NEEDS_DRAINED, "", 0, NULL },
    { "receipt", verb_receipt_begin, verb_receipt_look, NEEDS_READY, MSG " host witnessed wait_s",
      sizeof(struct receiving), verb_receipt_release },
    { "attachment", verb_attachment_begin, NULL, NEEDS_DRAINED, MSG " dir", 0, NULL },
    { "export", verb_export_begin, NULL, NEEDS_NOTHING, MSG, 0, NULL },
    { "import", verb_import_begin, NULL, NEEDS_READY, "bytes", 0, NULL },
    { "link-test", verb_link_test_begin, verb_send_look, NEEDS_READY,
      "channel to* category marking wait_s", sizeof(struct sending), NULL },
    { "ping", verb_ping_begin, verb_ping_look, NEEDS_READY, "wait_s", sizeof(struct pinging),
      verb_ping_release },
    { "duty-begin", verb_duty_begin_begin, NULL, NEEDS_NOTHING, "position pass", 0, NULL },
    { "duty-end", verb_duty_end_begin, NULL, NEEDS_NOTHING, "position", 0, NULL },
    { "contacts", verb_contacts_begin, NULL, NEEDS_READY, "", 0, NULL },
    { "party-list", verb_party_list_begin, NULL, NEEDS_READY, "", 0, NULL },
    { "party-pin", verb_party_pin_begin, NULL, NEEDS_READY, "party fingerprint typed", 0, NULL },
    { "agreement-list", verb_agreement_list_begin, NULL, NEEDS_DRAINED, "", 0, NULL },
    { "agreement-show", verb_agreement_show_begin, NULL, NEEDS_DRAINED, "name digest", 0, NULL },
    { "documents", verb_documents_begin, NULL, NEEDS_READY, "type host", 0, NULL },
    { "submit", verb_submit_begin, submitting_look, NEEDS_READY, "bytes host* wait_s",
      sizeof(struct submitting), NULL },
    { "subkeys-announce", verb_subkeys_announce_begin, submitting_look, NEEDS_READY, "wait_s",
      sizeof(struct submitting), NULL },
    { "psk-list", verb_psk_list_begin, NULL, NEEDS_NOTHING, "", 0, NULL },
    { "psk-combine", verb_psk_combine_begin, NULL, NEEDS_NOTHING,
      "half-a half-b channel epoch first_day pass", 0, NULL },
    { "mirror", verb_mirror_begin, verb_mirror_look, NEEDS_DRAINED, "dir host audit wait_s",
      sizeof(struct mirroring), verb_mirror_release },
    { "evidence", verb_evidence_begin, NULL, NEEDS_NOTHING, "", 0, NULL },
    { NULL, NULL, NULL, NEEDS_NOTHING, "", 0, NULL },
};
