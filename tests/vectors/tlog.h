#ifndef HL_TESTS_VECTORS_TLOG_H
#define HL_TESTS_VECTORS_TLOG_H

/*
 * A log of three entries, signed by a log and a witness: accepted by golang.org/x/mod/sumdb.
 * Log seed 01 x 32, witness seed 0b x 32.
 */
#define EXAMPLE_ORIGIN "hotline.example/audit"
#define EXAMPLE_LOG "hotline.example/audit+02f8ea01+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
#define EXAMPLE_WITNESS "witness.example/alpha+caf1d5ca+BGa+fjMsekUzMr2dCn99sFX1xe8aBq2mbZizn7aBDEc6"
#define EXAMPLE_LOG_PK "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"
#define EXAMPLE_WITNESS_PK "66be7e332c7a453332bd9d0a7f7db055f5c5ef1a06ada66d98b39fb6810c473a"
#define EXAMPLE_TIME 1700000001
#define EXAMPLE_BUNDLE "0005616c7068610000" "0007636861726c6965"
#define EXAMPLE_TILE                                                                               \
    "2a158d8afd48e3f88cb4195dfdb2a9e4817d95fa57fd34440d93f9aae5c4f82b"                             \
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"                             \
    "f931962f0917c346d447293c07b687ae1609f7003f8a44a06a75c4145b1e1929"
#define EXAMPLE_NODE01 "e5c500d4e9f2bd311da87658fd66f03d1aaeb85e92844381550935c5a9d99db3"
#define EXAMPLE_ROOT "c1b935d5af47527fa383d909fba0c64b671144da0787dfd9653bbecbf446ef4f"
#define EXAMPLE_LOG_SIG                                                                            \
    "6e34399ddd3a41c607646b3d90f05f9b25930642377ad2eeec018eeae21d78e8"                             \
    "828ea4e873f76cd45d71e04fd30d7868a4aeed5b8d061e8279c74fddabfa2d0d"
#define EXAMPLE_COSIGNATURE                                                                        \
    "000000006553f101"                                                                             \
    "8aba430a80b3f9bcb7c5b2b5bf03e924354bce60858d10872ec08264d752687c"                             \
    "a5f812e16518243b9609581e9b266471ff1285a2ef58806173bb8b6af7848602"
#define EXAMPLE_TEXT                                                                               \
    EXAMPLE_ORIGIN "\n3\nwbk11a9HUn+jg9kJ+6DGS2cRRNoHh9/ZZTu+y/RG708=\n"
#define EXAMPLE_LOG_LINE                                                                           \
    "\xe2\x80\x94 hotline.example/audit AvjqAW40OZ3dOkHGB2RrPZDwX5slkwZCN3rS7uwBjuriHXjogo6k6HP3b" \
    "NRdceBP0w14aKSu7VuNBh6CecdP3av6LQ0=\n"
#define EXAMPLE_WITNESS_LINE                                                                       \
    "\xe2\x80\x94 witness.example/alpha yvHVygAAAABlU/EBirpDCoCz+by3xbK1vwPpJDVLzmCFjRCHLsCCZNdSa" \
    "Hyl+BLhZRgkO5YJWB6bJmRx/xKFou9YgGFzu4tq94SGAg==\n"
#define EXAMPLE_NOTE EXAMPLE_TEXT "\n" EXAMPLE_LOG_LINE EXAMPLE_WITNESS_LINE
#define EXAMPLE_HASH_01 "5cUA1OnyvTEdqHZY/WbwPRquuF6ShEOBVQk1xanZnbM="
#define EXAMPLE_HASH_1 "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
#define EXAMPLE_HASH_2 "+TGWLwkXw0bURyk8B7aHrhYJ9wA/ikSganXEFFseGSk="
#define EXAMPLE_PROOF_2 "c2sp.org/tlog-proof@v1\nindex 2\n" EXAMPLE_HASH_01 "\n\n" EXAMPLE_NOTE
#define EXAMPLE_PROOF_0                                                                            \
    "c2sp.org/tlog-proof@v1\nindex 0\n" EXAMPLE_HASH_1 "\n" EXAMPLE_HASH_2 "\n\n" EXAMPLE_NOTE

/* The vector of C2SP signed-note. */
#define SPEC_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define SPEC_TEXT "This is an example message.\n"
#define SPEC_NOTE                                                                                  \
    SPEC_TEXT "\n\xe2\x80\x94 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7" \
              "Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

/* Checkpoints of another log, from the tests of litewitness: sizes 1, 3 and 5. */
#define LITE_ORIGIN                                                                                \
    "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
#define LITE_KEY LITE_ORIGIN "+5202289b+Af/cLU2Y5BJNP+r3iMDC+av9eWCD0fBJVDfzAux5zxAP"
#define LITE_LINE(base64) "\n\xe2\x80\x94 " LITE_ORIGIN " " base64 "\n"
#define LITE_NOTE_1                                                                                \
    LITE_ORIGIN "\n1\nKgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" LITE_LINE(                  \
        "UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbI" \
        "QY=")
#define LITE_NOTE_3                                                                                \
    LITE_ORIGIN "\n3\nRcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=\n" LITE_LINE(                  \
        "UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6" \
        "go=")
#define LITE_NOTE_5                                                                                \
    LITE_ORIGIN "\n5\nQrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=\n" LITE_LINE(                  \
        "UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sD" \
        "ww=")
#define LITE_PROOF_1_3                                                                             \
    "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nKgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define LITE_PROOF_1_5                                                                             \
    "KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=\n" \
    "KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

#endif
