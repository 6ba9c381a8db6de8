/* SPDX-License-Identifier: MIT */
/* http_cookie.c — one cookie's value (RFC 6265, section 4.2). libmicrohttpd reads
 * the first Cookie header alone; some proxies make several of one. */
#include <string.h>
#include <strings.h>

#include "server/http_private.h"

struct search {
    struct slice name;
    struct slice value;
    bool found;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static struct slice trim(struct slice text)
{
    while (text.len > 0 && is_blank(text.at[0]))
        text = (struct slice){text.at + 1, text.len - 1};
    while (text.len > 0 && is_blank(text.at[text.len - 1]))
        text.len--;
    return text;
}

static void look_at_pair(struct search *search, struct slice pair)
{
    const char *equals = memchr(pair.at, '=', pair.len);
    if (!equals)
        return;
    size_t name_len = (size_t)(equals - pair.at);
    if (!slice_equal(trim((struct slice){pair.at, name_len}), search->name))
        return;
    struct slice value = trim((struct slice){equals + 1, pair.len - name_len - 1});
    if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
        value = (struct slice){value.at + 1, value.len - 2};
    search->value = value;
    search->found = true;
}

/* The first of a name counts: browsers send the one of the longest path first. */
static enum MHD_Result look_at_header(void *context, enum MHD_ValueKind kind, const char *key,
                                      const char *value)
{
    (void)kind;
    struct search *search = context;
    if (!value || strcasecmp(key, "Cookie") != 0)
        return MHD_YES;
    while (!search->found && *value) {
        size_t len = strcspn(value, ";");
        look_at_pair(search, (struct slice){value, len});
        value += len + (value[len] == ';');
    }
    return search->found ? MHD_NO : MHD_YES;
}

bool http_request_cookie(const struct http_request *request, const char *name, char *value,
                         size_t size)
{
    struct search search = {.name = slice_of(name)};
    (void)MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, look_at_header, &search);
    if (!search.found || search.value.len >= size)
        return false;
    if (search.value.len > 0)
        memcpy(value, search.value.at, search.value.len);
    value[search.value.len] = '\0';
    return true;
}
