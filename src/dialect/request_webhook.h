/* SPDX-License-Identifier: MIT */
/* request_webhook.h — what webhooks are signed with. Every key has a secret of its own,
 * so that nobody can sign what another one gets. */
#ifndef RUNNEL_DIALECT_REQUEST_WEBHOOK_H
#define RUNNEL_DIALECT_REQUEST_WEBHOOK_H

#include <stdint.h>

enum { WEBHOOK_SECRET_SIZE = 32, WEBHOOK_SECRET_TEXT_SIZE = 64 };

/* Of this key, from ours. */
void request_webhook_secret(const unsigned char ours[WEBHOOK_SECRET_SIZE], uint64_t key,
                            unsigned char ret_secret[WEBHOOK_SECRET_SIZE]);
/* As its owner gets it: whsec_ and base64 (standardwebhooks.com). */
void request_webhook_text(const unsigned char secret[WEBHOOK_SECRET_SIZE],
                          char ret_text[WEBHOOK_SECRET_TEXT_SIZE]);

#endif
