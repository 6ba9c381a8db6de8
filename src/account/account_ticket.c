/* SPDX-License-Identifier: MIT */
#include <nettle/memops.h>
#include <string.h>

#include "account/account_private.h"
#include "loop/loop.h"

/* Tickets stand in an array that is walked: it is small, and the walk takes as long
 * whatever is looked for. */

/* A free place, else the oldest's: of this key when it has its share, else of all. */
static struct ticket *find_place(struct accounts *accounts, uint64_t key, uint64_t now_ns)
{
    struct ticket *own = NULL;
    struct ticket *oldest = &accounts->tickets[0];
    size_t owned = 0;
    for (size_t i = 0; i < TICKETS_MAX; i++) {
        struct ticket *ticket = &accounts->tickets[i];
        if (ticket->until_ns <= now_ns)
            ticket->until_ns = 0;
        if (ticket->until_ns < oldest->until_ns)
            oldest = ticket;
        if (ticket->until_ns == 0 || ticket->key != key)
            continue;
        owned++;
        if (!own || ticket->until_ns < own->until_ns)
            own = ticket;
    }
    return owned >= TICKETS_OF_KEY_MAX ? own : oldest;
}

int accounts_make_ticket(struct accounts *accounts, const struct caller *caller,
                         char ret_ticket[ACCOUNT_TICKET_SIZE], struct err *err)
{
    uint64_t now_ns = loop_now_ns();
    if (account_random_text(ret_ticket, err) < 0)
        return -1;
    struct ticket *ticket = find_place(accounts, caller->key, now_ns);
    *ticket =
        (struct ticket){.key = caller->key, .until_ns = now_ns + ACCOUNT_TICKET_MS * NS_PER_MS};
    account_token_digest(ret_ticket, ticket->digest);
    return 0;
}

int accounts_by_ticket(struct accounts *accounts, const char *text, struct caller *ret_caller,
                       struct err *err)
{
    unsigned char digest[STORE_DIGEST_SIZE];
    struct ticket *found = NULL;
    if (!accounts->has_keys)
        return accounts_by_token(accounts, NULL, ret_caller, err);
    if (strnlen(text, ACCOUNT_TICKET_SIZE) < ACCOUNT_TICKET_SIZE) {
        account_token_digest(text, digest);
        for (size_t i = 0; i < TICKETS_MAX; i++) {
            if (memeql_sec(accounts->tickets[i].digest, digest, sizeof digest))
                found = &accounts->tickets[i];
        }
    }
    bool is_in_time = found && loop_now_ns() < found->until_ns;
    const struct account_key *key =
        is_in_time ? account_keys_good(&accounts->keys, found->key) : NULL;
    if (found)
        *found = (struct ticket){0};
    if (!key)
        return err_set(err, ERR_UNAUTHORIZED, "invalid ticket");
    account_keys_caller(key, ret_caller);
    return 0;
}
