/* SPDX-License-Identifier: MIT */
/* What somebody shows to be let in: lines of keys, a token, a cookie, a ticket. Nobody gets
 * in by bytes that we did not give out. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "account/account_private.h"
#include "lines.h"
#include "loop/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct loop *loop;
static struct accounts *accounts; /* with one key that nobody knows */

static void set_up(void)
{
    char token[ACCOUNT_TOKEN_SIZE];
    unsigned char digest[32];
    struct err err = {0};
    loop = loop_new();
    int rc = account_token_new(token, digest, &err);
    assert(rc == 0);
    struct accounts_config config = {.api_keys = token, .cookie_ms = 1000};
    memcpy(config.secret, digest, sizeof config.secret);
    accounts = accounts_new(loop, NULL, &config, &err);
    assert(accounts && accounts_have_keys(accounts));
}

static void show(char *line)
{
    struct caller caller = {0};
    struct err err = {0};
    unsigned scopes = 0;
    char text[32];
    assert(accounts_by_token(accounts, line, &caller, &err) < 0 && err.code == ERR_UNAUTHORIZED);
    assert(accounts_by_cookie(accounts, line, &caller, &err) < 0 && caller.scopes == 0);
    assert(accounts_by_ticket(accounts, line, &caller, &err) < 0 && caller.key == 0);
    if (account_scopes_parse(line, &scopes, &err) == 0)
        assert(scopes != 0 && (scopes & SCOPES_ALL) == scopes &&
               account_scopes_text(scopes, text)[0]);
    if (account_check_label(line, &err) == 0)
        assert(account_is_label(line) && line[0]);
}

/* The operator's list of keys; what is said of a bad one does not show it. */
static void configure(const char *text)
{
    struct accounts_config config = {.api_keys = text, .cookie_ms = 1000};
    struct err err = {0};
    struct accounts *other = accounts_new(loop, NULL, &config, &err);
    assert(other || err.text[0]);
    accounts_free(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size);
    if (!accounts)
        set_up();
    configure(text);
    free(text);
    fuzz_each_line(bytes, size, show);
    return 0;
}
