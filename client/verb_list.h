#ifndef HL_CLIENT_VERB_LIST_H
#define HL_CLIENT_VERB_LIST_H

#include "client/verb.h"

/* The functions behind the table of verbs (verb_table.c); what each does says client/verbs.h. */

/* verb_send.c */
int verb_send_begin(struct verb *v);
int verb_retract_begin(struct verb *v);
int verb_link_test_begin(struct verb *v);
int verb_send_look(struct verb *v, bool over);
/* verb_release.c */
int verb_drafts_begin(struct verb *v);
int verb_draft_show_begin(struct verb *v);
int verb_draft_drop_begin(struct verb *v);
int verb_release_begin(struct verb *v);
int verb_release_prepare_begin(struct verb *v);
int verb_release_commit_begin(struct verb *v);
/* verb_read.c */
int verb_inbox_begin(struct verb *v);
int verb_outbox_begin(struct verb *v);
int verb_show_begin(struct verb *v);
int verb_thread_begin(struct verb *v);
/* verb_step.c */
int verb_step_begin(struct verb *v);
int verb_step_look(struct verb *v, bool over);
/* verb_watch.c */
int verb_watch_begin(struct verb *v);
int verb_watch_look(struct verb *v, bool over);
/* verb_status.c */
int verb_status_begin(struct verb *v);
/* verb_receipt.c */
int verb_receipt_begin(struct verb *v);
int verb_receipt_look(struct verb *v, bool over);
void verb_receipt_release(struct verb *v);
/* verb_attachment.c */
int verb_attachment_begin(struct verb *v);
int verb_export_begin(struct verb *v);
int verb_import_begin(struct verb *v);
/* verb_host.c */
int verb_ping_begin(struct verb *v);
int verb_ping_look(struct verb *v, bool over);
void verb_ping_release(struct verb *v);
int verb_evidence_begin(struct verb *v);
/* verb_duty.c */
int verb_duty_begin_begin(struct verb *v);
int verb_duty_end_begin(struct verb *v);
/* verb_party.c */
int verb_contacts_begin(struct verb *v);
int verb_party_list_begin(struct verb *v);
int verb_party_pin_begin(struct verb *v);
int verb_agreement_list_begin(struct verb *v);
int verb_agreement_show_begin(struct verb *v);
/* verb_documents.c */
int verb_documents_begin(struct verb *v);
int verb_submit_begin(struct verb *v);
int verb_subkeys_announce_begin(struct verb *v);
/* verb_psk.c */
int verb_psk_list_begin(struct verb *v);
int verb_psk_combine_begin(struct verb *v);
/* verb_mirror.c */
int verb_mirror_begin(struct verb *v);
int verb_mirror_look(struct verb *v, bool over);
void verb_mirror_release(struct verb *v);

#endif
