/* SPDX-License-Identifier: MIT */
/* A link's two parameters, divided by a newline: whoever has no key opens nothing. And
 * what is signed over the same bytes as a path opens that path alone. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/signed_path.h"
#include "lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const struct slice key = {"a key that nobody knows", 23};

static void sign_and_check(const char *path)
{
    struct buf url;
    buf_init(&url, 8192);
    signed_path_write(&url, path, 100, key);
    if (!url.failed) {
        char *payload = strstr(url.at, "?payload=") + strlen("?payload=");
        char *sig = strstr(payload, "&sig=");
        *sig = '\0';
        sig += strlen("&sig=");
        assert(signed_path_check(path, payload, sig, &key, 1, 100) == NULL);
        assert(signed_path_check(path, payload, sig, &key, 1, 101));
        assert(signed_path_check("/v1/files/x", payload, sig, &key, 1, 100));
    }
    buf_fini(&url);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = fuzz_text(bytes, size);
    char *sig = strchr(text, '\n');
    if (sig)
        *sig++ = '\0';
    assert(signed_path_check("/v1/files/x", text, sig, &key, 1, 0));
    char path[400] = "/v1/files/file_";
    size_t len = strlen(path);
    for (const char *at = text; *at && len < sizeof path - 1; at++) {
        if (isalnum((unsigned char)*at))
            path[len++] = *at;
    }
    path[len] = '\0';
    sign_and_check(path);
    free(text);
    return 0;
}
