/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "base/util.h"
#include "server/framing.h"

/* A head as libmicrohttpd leaves it: CR, LF and the blanks of the request line
 * are NULs, and so is the first colon of each line. */
struct parsed {
    char bytes[32768];
    struct framing_head head;
};

static void parse(struct parsed *parsed, const char *raw, size_t size)
{
    assert_true(size < sizeof parsed->bytes);
    memcpy(parsed->bytes, raw, size);
    bool colon_seen = true; /* none in the request line */
    size_t blanks = 0;
    parsed->head = (struct framing_head){.method = parsed->bytes, .size = size};
    for (size_t i = 0; i < size; i++) {
        char byte = raw[i];
        bool line_end = byte == '\n' || (byte == '\r' && i + 1 < size && raw[i + 1] == '\n');
        if (byte == '\n') {
            parsed->head.header_count += blanks < 9 ? 0 : 1;
            blanks = 9;
            colon_seen = false;
        }
        if (byte == ' ' && blanks < 2) {
            const char *after = parsed->bytes + i + 1;
            if (blanks++ == 0)
                parsed->head.target = after;
            else
                parsed->head.version = after;
            parsed->bytes[i] = '\0';
        } else if (line_end || (byte == ':' && !colon_seen)) {
            colon_seen = colon_seen || byte == ':';
            parsed->bytes[i] = '\0';
        }
    }
    parsed->head.header_count -= parsed->head.header_count > 0; /* the empty line */
    parsed->head.target_len = strlen(parsed->head.target);
}

static struct framing check(const char *raw)
{
    static struct parsed parsed;
    parse(&parsed, raw, strlen(raw));
    return framing_check(&parsed.head);
}

static void one_meaning_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool chunked;
        uint64_t length;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, 0},
        {"GET / HTTP/1.0\r\n\r\n", false, 0},
        {"POST / HTTP/1.1\r\nHost:x\r\nContent-Length: 12\r\n\r\n", false, 12},
        {"POST / HTTP/1.1\r\nhost:\t x\r\ncontent-length:0\r\n\r\n", false, 0},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n", true, 0},
        {"GET / HTTP/1.1\r\nHost: x\r\nX:\r\nY: a: b\tc\r\nZ: \xC3\xA9\r\n\r\n", false, 0},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551615\r\n\r\n", false,
         UINT64_MAX},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct framing framing = check(rows[i].raw);
        assert_null(framing.refusal);
        assert_int_equal(framing.chunked, rows[i].chunked);
        assert_int_equal(framing.content_length, rows[i].length);
    }
}

static void more_than_one_meaning_is_refused(void **state)
{
    (void)state;
#define HEAD_ "POST / HTTP/1.1\r\nHost: x\r\n"
    static const char *const rows[] = {
        HEAD_ "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        HEAD_ "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD_ "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD_ "Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD_ "Transfer-Encoding: chunked \r\n\r\n",
        HEAD_ "Transfer-Encoding:\r\n\r\n",
        HEAD_ "Content-Length: +1\r\n\r\n",
        HEAD_ "Content-Length: 1 \r\n\r\n",
        HEAD_ "Content-Length: 18446744073709551616\r\n\r\n",
        HEAD_ "Host: x\r\n\r\n",
        "POST / HTTP/1.1\r\nX: y\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD_ "X : y\r\n\r\n",
        HEAD_ " folded\r\n\r\n",
        HEAD_ "\tfolded: x\r\n\r\n",
        HEAD_ ": y\r\n\r\n",
        HEAD_ "nocolon\r\n\r\n",
        HEAD_ "X: a\rb\r\n\r\n",
        HEAD_ "X: a\x7F\r\n\r\n",
        HEAD_ "X: a\nY: b\r\n\r\n",
        HEAD_ "X: a\n\r\n",
        HEAD_ "X: a\r\n\n",
        "POST / HTTP/1.1\nHost: x\r\n\r\n",
        "P(ST / HTTP/1.1\r\nHost: x\r\n\r\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct framing framing = check(rows[i]);
        if (!framing.refusal)
            print_error("row %zu\n", i);
        assert_non_null(framing.refusal);
        assert_int_equal(framing.status, 400);
    }
}

static void nuls_of_the_client_are_refused_wherever_they_stand(void **state)
{
    (void)state;
    static const char raw[] = "POST /path HTTP/1.1\r\nHost: x\r\nX-Name: value\r\n\r\n";
    static struct parsed parsed;
    char copy[sizeof raw];
    for (size_t i = 0; i < sizeof raw - 1; i++) {
        memcpy(copy, raw, sizeof raw);
        if (memchr("\r\n: ", copy[i], 4))
            continue;
        copy[i] = '\0';
        parse(&parsed, copy, sizeof raw - 1);
        /* In the version libmicrohttpd has looked already. */
        if (copy + i >= strstr(raw, "HTTP") - raw + copy &&
            copy + i < strstr(raw, "HTTP") - raw + copy + 8)
            continue;
        parsed.head.version = parsed.bytes + (strstr(raw, "HTTP") - raw);
        assert_non_null(framing_check(&parsed.head).refusal);
    }
}

static void heads_are_cut_at_any_byte_without_harm(void **state)
{
    (void)state;
    static const char raw[] = "POST / HTTP/1.1\r\nHost: x\r\nX-Name: value\r\n\r\n";
    static struct parsed parsed;
    for (size_t size = sizeof "POST / HTTP/1.1" - 1; size < sizeof raw - 1; size++) {
        parse(&parsed, raw, size);
        assert_non_null(framing_check(&parsed.head).refusal);
    }
}

static void long_and_many_headers_are_431(void **state)
{
    (void)state;
    static struct parsed parsed;
    parse(&parsed, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    parsed.head.header_count = FRAMING_HEADERS_MAX + 1;
    assert_int_equal(framing_check(&parsed.head).status, 431);
    parsed.head.header_count = 1;
    parsed.head.size = FRAMING_HEAD_MAX + 1;
    assert_int_equal(framing_check(&parsed.head).status, 431);
}

static void a_hidden_header_is_refused(void **state)
{
    (void)state;
    static struct parsed parsed;
    parse(&parsed, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    assert_null(framing_check(&parsed.head).refusal);
    parsed.head.header_count++;
    assert_int_equal(framing_check(&parsed.head).status, 400);
}

static void targets_are_paths_without_blanks_and_controls(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        bool valid;
    } rows[] = {{"/", true},       {"/a?b=%20", true}, {"*", true},      {"/\xC3\xA9", true},
                {"", false},       {"x", false},       {"**", false},    {"http://x/", false},
                {"/a b", false},   {"/\t", false},     {"/\x7F", false}, {"/%00", false},
                {"/a%00b", false}, {"/%0", true},      {"/a\r", false}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(framing_target_valid(rows[i].target), rows[i].valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_meaning_is_read),
        cmocka_unit_test(more_than_one_meaning_is_refused),
        cmocka_unit_test(nuls_of_the_client_are_refused_wherever_they_stand),
        cmocka_unit_test(heads_are_cut_at_any_byte_without_harm),
        cmocka_unit_test(long_and_many_headers_are_431),
        cmocka_unit_test(a_hidden_header_is_refused),
        cmocka_unit_test(targets_are_paths_without_blanks_and_controls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
