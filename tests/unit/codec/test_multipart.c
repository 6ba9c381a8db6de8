/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"
#include "codec/multipart.h"

static void a_boundary_is_found_or_refused(void **state)
{
    static const struct {
        const char *type;
        const char *boundary; /* NULL: refused */
        int rc;
    } rows[] = {
        {"multipart/form-data; boundary=x", "x", 0},
        {"multipart/form-data;boundary=x", "x", 0},
        {"Multipart/Form-Data ; BOUNDARY=x", "x", 0},
        {"multipart/form-data; boundary=\"a b\"", "a b", 0},
        {"multipart/form-data; charset=utf-8; boundary=x;", "x", 0},
        {"multipart/form-data; boundary=----WebKitFormBoundaryAbC", "----WebKitFormBoundaryAbC", 0},
        {"multipart/form-data; boundary==_Part_1/2:3?", "=_Part_1/2:3?", 0},
        {"multipart/form-data; boundary="
         "1234567890123456789012345678901234567890123456789012345678901234567890",
         "1234567890123456789012345678901234567890123456789012345678901234567890", 0},
        {"multipart/form-data; boundary="
         "12345678901234567890123456789012345678901234567890123456789012345678901",
         NULL, -EINVAL},
        {"multipart/form-data", NULL, -EINVAL},
        {"multipart/form-data; boundary=", NULL, -EINVAL},
        {"multipart/form-data; boundary=\"\"", NULL, -EINVAL},
        {"multipart/form-data; boundary=\"x", NULL, -EINVAL},
        {"multipart/form-data; boundary=\"x \"", NULL, -EINVAL},
        {"multipart/form-data; boundary=a b", NULL, -EINVAL},
        {"multipart/form-data; boundary=a\"b", NULL, -EINVAL},
        {"multipart/form-data; boundary=a\\b", NULL, -EINVAL},
        {"multipart/form-data; boundary=\xc3\xa9", NULL, -EINVAL},
        {"multipart/form-data; boundary=x; boundary=x", NULL, -EINVAL},
        {"multipart/form-data boundary=x", NULL, -EINVAL},
        {"multipart/form-data, boundary=x", NULL, -EMEDIUMTYPE},
        {"multipart/form-datas; boundary=x", NULL, -EMEDIUMTYPE},
        {"multipart/mixed; boundary=x", NULL, -EMEDIUMTYPE},
        {"application/json", NULL, -EMEDIUMTYPE},
        {"", NULL, -EMEDIUMTYPE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char boundary[MULTIPART_BOUNDARY_SIZE];
        assert_int_equal(multipart_boundary(rows[i].type, boundary), rows[i].rc);
        if (rows[i].boundary)
            assert_string_equal(boundary, rows[i].boundary);
    }
}

/* "[name|filename|type]data" for each part, "." at the end. */
static struct told {
    struct buf text;
    const char *refusal; /* of the owner */
} told;

static void add(struct slice slice)
{
    if (!slice.at)
        buf_add_char(&told.text, '-');
    buf_add_slice(&told.text, slice);
}

static const char *part_begin(void *context, const struct multipart_part *part)
{
    (void)context;
    buf_add_char(&told.text, '[');
    add(part->name);
    buf_add_char(&told.text, '|');
    add(part->filename);
    buf_add_char(&told.text, '|');
    add(part->content_type);
    buf_add_char(&told.text, ']');
    return told.refusal;
}

static const char *part_data(void *context, struct slice bytes)
{
    (void)context;
    assert_true(bytes.len > 0);
    buf_add_slice(&told.text, bytes);
    return NULL;
}

static const char *part_end(void *context)
{
    (void)context;
    buf_add_char(&told.text, ';');
    return NULL;
}

static const char *end(void *context)
{
    (void)context;
    buf_add_char(&told.text, '.');
    return NULL;
}

static const struct multipart_events events = {part_begin, part_data, part_end, end};

static const char *read_form(const char *body, size_t piece)
{
    buf_clear(&told.text);
    struct multipart *form = multipart_new("x", 3, &events, NULL);
    size_t len = strlen(body);
    assert_non_null(form);
    for (size_t at = 0; at < len; at += piece)
        (void)multipart_feed(form, (struct slice){body + at, MIN(piece, len - at)});
    const char *refusal = multipart_finish(form);
    if (refusal)
        assert_ptr_equal(multipart_feed(form, slice_of("more")), refusal);
    multipart_free(form);
    return refusal;
}

#define A "Content-Disposition: form-data; name=\"a\""
#define PART(head, data) "--x\r\n" head "\r\n\r\n" data "\r\n"
#define FILE_PART(filename) PART(A "; filename=" filename, "1")

/* However it is cut. How much of a refused one was told before depends on the cut: that is
 * compared of the whole alone. */
static void check_form(const char *body, const char *told_of_it, const char *refusal)
{
    enum { WHOLE = 10000 };
    buf_init(&told.text, MIB);
    for (size_t piece = 1; piece < 80; piece++) {
        const char *why = read_form(body, piece);
        assert_string_equal(why ? why : "taken", refusal ? refusal : "taken");
        if (!refusal)
            assert_string_equal(buf_text(&told.text), told_of_it);
    }
    (void)read_form(body, WHOLE);
    assert_string_equal(buf_text(&told.text), told_of_it);
    buf_fini(&told.text);
}

static void forms_are_read(void **state)
{
    static const struct {
        const char *body;
        const char *told;
    } rows[] = {
        {"--x--\r\n", "."},
        {"--x--", "."},
        {PART(A, "") "--x--", "[a|-|-];."},
        {PART(A, "one") PART(A, "two") PART(A, "\r\n") "--x--\r\n",
         "[a|-|-]one;[a|-|-]two;[a|-|-]\r\n;."},
        {PART(A "\r\nContent-Type:  text/plain; charset=utf-8 \r\nX-Y: z", "1") "--x--",
         "[a|-|text/plain; charset=utf-8]1;."},
        {PART(A, "\r\n--\r\n--y\r\r\n-\n--x--\r\n -- x\r") "--x--",
         "[a|-|-]\r\n--\r\n--y\r\r\n-\n--x--\r\n -- x\r;."},
        /* names of files */
        {FILE_PART("\"b.txt\"") "--x--", "[a|b.txt|-]1;."},
        {FILE_PART("\"\"") "--x--", "[a||-]1;."},
        {FILE_PART("b.txt") "--x--", "[a|b.txt|-]1;."},
        {FILE_PART("\"%22%0D%0a%41%\"") "--x--", "[a|\"\r\n%41%|-]1;."},
        {FILE_PART("\"a\\\"b\\\\c\\d;=\"") "--x--", "[a|a\"b\\c\\d;=|-]1;."},
        {FILE_PART("\"C:\\b.txt\"; filename*=UTF-8''c.txt") "--x--", "[a|C:\\b.txt|-]1;."},
        {FILE_PART("\"\xff\"") "--x--", "[a|\xff|-]1;."},
        {PART("content-disposition:form-data;NAME=a;", "1") "--x--", "[a|-|-]1;."},
        {PART(A "\r\nContent-Transfer-Encoding: BINARY", "1") "--x--", "[a|-|-]1;."},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_form(rows[i].body, rows[i].told, NULL);
}

static void what_is_no_form_is_refused(void **state)
{
    static const struct {
        const char *body;
        const char *told;
        const char *refusal;
    } rows[] = {
        {PART("content-disposition:form-data;NAME=a;;", "1") "--x--", "",
         "a part's Content-Disposition is malformed"},
        {"", "", "the body ends before its last boundary"},
        {"--x", "", "the body ends before its last boundary"},
        {"--x-", "", "the body ends before its last boundary"},
        {PART(A, "one"), "[a|-|-]one", "the body ends before its last boundary"},
        {"--x--\r", ".", "there is something behind the last boundary"},
        {"--x--\n", ".", "there is something behind the last boundary"},
        {"--x--\r\n\r\n", ".", "there is something behind the last boundary"},
        {"\r\n--x--", "", "the body does not begin with its boundary"},
        {"--y--", "", "the body does not begin with its boundary"},
        {"--xy\r\n", "", "a boundary is not followed by a line's end"},
        {"--x \r\n", "", "a boundary is not followed by a line's end"},
        {"--x\n" A "\n\n1\n--x--", "", "a boundary is not followed by a line's end"},
        {"--x\r-", "", "a boundary is not followed by a line's end"},
        {PART(A, "1") PART(A, "2") PART(A, "3") PART(A, "4") "--x--", "[a|-|-]1;[a|-|-]2;[a|-|-]3;",
         "the form has too many parts"},
        {"--x\r\n" A "\n\r\n\r\n1", "", "a header's line does not end with CRLF"},
        {"--x\r\n" A "\rX: y\r\n\r\n1", "", "a header's line does not end with CRLF"},
        {"--x\r\n\r\n1\r\n--x--", "", "a part has no Content-Disposition"},
        {PART("Content-Type: a/b", "1") "--x--", "", "a part has no Content-Disposition"},
        {PART(A "\r\n" A, "1") "--x--", "", "a part has two Content-Disposition"},
        {PART(A "\r\nContent-Type: a/b\r\nContent-Type: a/b", "1") "--x--", "",
         "a part has two Content-Type"},
        {PART("Content-Disposition: form-data", "1") "--x--", "", "a part has no name"},
        {PART(A "; name=b", "1") "--x--", "", "a part's name stands there twice"},
        {FILE_PART("a; filename=b") "--x--", "", "a part's name stands there twice"},
        {PART("Content-Disposition: attachment; name=a", "1") "--x--", "",
         "a part's Content-Disposition is not form-data"},
        {FILE_PART("\"a") "--x--", "", "a part's Content-Disposition is malformed"},
        {FILE_PART("\"a\\\"") "--x--", "", "a part's Content-Disposition is malformed"},
        {FILE_PART("\"a\"b") "--x--", "", "a part's Content-Disposition is malformed"},
        {FILE_PART("") "--x--", "", "a part's Content-Disposition is malformed"},
        {PART(A "\r\n folded", "1") "--x--", "", "a part's header is malformed, or folded"},
        {PART(A "\r\nno colon", "1") "--x--", "", "a part's header is malformed, or folded"},
        {PART(A "\r\nX : y", "1") "--x--", "", "a part's header is malformed, or folded"},
        {PART(A "\r\nX: \x1b[2J", "1") "--x--", "",
         "there is a control character in a part's header"},
        {PART(A "\r\nContent-Type: Multipart/mixed; boundary=y", "1") "--x--", "",
         "a part is a multipart itself, which is not taken"},
        {PART(A "\r\nContent-Transfer-Encoding: base64", "1") "--x--", "",
         "a part is encoded, which is not taken"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check_form(rows[i].body, rows[i].told, rows[i].refusal);
}

static void heads_have_an_end(void **state)
{
    (void)state;
    buf_init(&told.text, MIB);
    auto_buf struct buf body;
    buf_init(&body, MIB);
    for (int over = 0; over < 2; over++) {
        buf_clear(&body);
        buf_add_text(&body, "--x\r\n" A "\r\nX: ");
        size_t used = body.len - strlen("--x\r\n") + strlen("\r\n\r\n");
        for (size_t i = used; i < MULTIPART_HEAD_MAX + (size_t)over; i++)
            buf_add_char(&body, 'y');
        buf_add_text(&body, "\r\n\r\n1\r\n--x--");
        const char *refusal = read_form(buf_text(&body), 1000);
        if (over)
            assert_string_equal(refusal, "the headers of a part are too long");
        else
            assert_null(refusal);
    }
    for (int count = MULTIPART_HEADERS_MAX; count <= MULTIPART_HEADERS_MAX + 1; count++) {
        buf_clear(&body);
        buf_add_text(&body, "--x\r\n" A);
        for (int i = 1; i < count; i++)
            buf_add_text(&body, "\r\nX: y");
        buf_add_text(&body, "\r\n\r\n1\r\n--x--");
        const char *refusal = read_form(buf_text(&body), 1000);
        if (count > MULTIPART_HEADERS_MAX)
            assert_string_equal(refusal, "a part has too many headers");
        else
            assert_null(refusal);
    }
    buf_fini(&told.text);
}

static void a_nul_is_data_but_no_header(void **state)
{
    static const char data[] = "--x\r\n" A "\r\n\r\n\0\r\n--x--";
    static const char head[] = "--x\r\n" A "\0\r\n\r\n1\r\n--x--";
    (void)state;
    buf_init(&told.text, MIB);
    struct multipart *form = multipart_new("x", 3, &events, NULL);
    assert_null(multipart_feed(form, (struct slice){data, sizeof data - 1}));
    assert_null(multipart_finish(form));
    assert_int_equal(told.text.len, strlen("[a|-|-]?;."));
    multipart_free(form);
    form = multipart_new("x", 3, &events, NULL);
    assert_string_equal(multipart_feed(form, (struct slice){head, sizeof head - 1}),
                        "there is a NUL in a header");
    multipart_free(form);
    buf_fini(&told.text);
}

static void what_the_owner_refuses_is_refused(void **state)
{
    (void)state;
    buf_init(&told.text, MIB);
    told.refusal = "not this one";
    assert_string_equal(read_form(PART(A, "1") PART(A, "2") "--x--", 5), "not this one");
    assert_string_equal(buf_text(&told.text), "[a|-|-]");
    told.refusal = NULL;
    buf_fini(&told.text);
}

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void names_of_files_are_made_harmless(void **state)
{
    static const struct {
        const char *sent;
        const char *name;
    } rows[] = {
        {"plain.txt", "plain.txt"},
        {"with blank", "with blank"},
        {"/etc/passwd", "passwd"},
        {"../../x", "x"},
        {"C:\\dir\\x.txt", "x.txt"},
        {"a/b\\c", "c"},
        {"a\\b/c", "c"},
        {"", "file"},
        {".", "file"},
        {"..", "file"},
        {"a/..", "file"},
        {"a/", "file"},
        {"...", "..."},
        {".hidden", ".hidden"},
        {"a\r\nb\tc\x1b\x7f", "a__b_c__"},
        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"},
        {"\xe9t\xc3\xa9", "\xc3\xa9t\xc3\xa9"}, /* Latin-1 and UTF-8 */
        {"\xff\xfe", "\xc3\xbf\xc3\xbe"},
        {"\x80", "_"},     /* C1 in Latin-1 */
        {"\xc2\x85", "_"}, /* and in UTF-8 */
        {"\xe2\x80\xaetxt.exe", "_txt.exe"},
        {"\xe2\x80\xa8", "_"},
        {"\xf0\x9f\x98\x80.png", "\xf0\x9f\x98\x80.png"},
        {"a\xf0\x9f\x98", "a\xc3\xb0_\x5f"}, /* cut off */
        {"\xed\xa0\x80", "\xc3\xad\xc2\xa0_"},
        {HUNDRED HUNDRED HUNDRED, HUNDRED HUNDRED TEN TEN TEN TEN TEN "01234"},
        {HUNDRED HUNDRED TEN TEN TEN TEN TEN "0123\xc3\xa9",
         HUNDRED HUNDRED TEN TEN TEN TEN TEN "0123"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char name[MULTIPART_FILE_NAME_SIZE];
        multipart_file_name(slice_of(rows[i].sent), name);
        assert_string_equal(name, rows[i].name);
    }
    char name[MULTIPART_FILE_NAME_SIZE];
    multipart_file_name((struct slice){"a\0b", 3}, name);
    assert_string_equal(name, "a_b");
    multipart_file_name((struct slice){0}, name);
    assert_string_equal(name, "file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_boundary_is_found_or_refused),
        cmocka_unit_test(forms_are_read),
        cmocka_unit_test(what_is_no_form_is_refused),
        cmocka_unit_test(heads_have_an_end),
        cmocka_unit_test(a_nul_is_data_but_no_header),
        cmocka_unit_test(what_the_owner_refuses_is_refused),
        cmocka_unit_test(names_of_files_are_made_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
