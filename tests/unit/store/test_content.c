/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <stdarg.h> /* cmocka.h wants these four first */
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/util.h"
#include "loop/loop.h"
#include "os/fd.h"
#include "os/sys.h"
#include "store/content.h"

#define ID "file_0123456789ab"

struct fixture {
    struct loop *loop;
    char path[32];
    int folder;
    struct content_writer *writer;
    int rooms;
    int ends;
    struct content content;
    bool is_good;
    struct err err;
    struct buf read; /* what content_read gave, one behind the other */
    size_t lengths[4];
    size_t count;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    fixture->loop = loop_new();
    (void)snprintf(fixture->path, sizeof fixture->path, "/tmp/runnel-content.XXXXXX");
    assert_non_null(mkdtemp(fixture->path));
    fixture->folder = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fixture->folder >= 0);
    buf_init(&fixture->read, SIZE_MAX / 2);
    *state = fixture;
    return 0;
}

static bool knows_nothing(void *context, const char *id)
{
    (void)context;
    (void)id;
    return false;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    loop_free(fixture->loop);
    assert_int_equal(content_sweep(fixture->folder, knows_nothing, NULL), 0);
    (void)close(fixture->folder);
    assert_int_equal(rmdir(fixture->path), 0);
    buf_fini(&fixture->read);
    free(fixture);
    return 0;
}

/* Names in the folder, with a blank between; "" when there are none. One is enough here. */
static const char *names(const struct fixture *fixture, char text[static 256])
{
    int fd = openat(fixture->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fdopendir(fd);
    assert_non_null(entries);
    text[0] = '\0';
    for (const struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        size_t len = strlen(text);
        if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2)
            (void)snprintf(text + len, 256 - len, "%s%s", len ? " " : "", entry->d_name);
    }
    (void)closedir(entries);
    return text;
}

#define assert_names(fixture, expected)                            \
    do {                                                           \
        char names_text[256];                                      \
        assert_string_equal(names(fixture, names_text), expected); \
    } while (0)

static void on_room(void *context)
{
    struct fixture *fixture = context;
    fixture->rooms++;
    loop_stop(fixture->loop);
}

static void on_content(void *context, const struct content *content, const struct err *err)
{
    struct fixture *fixture = context;
    assert_true((content != NULL) != (err != NULL));
    fixture->ends++;
    fixture->is_good = content != NULL;
    if (content)
        fixture->content = *content;
    else
        fixture->err = *err;
}

static const struct content_writer_events events = {on_room, on_content};

static struct content_writer *start(struct fixture *fixture, uint64_t max_size)
{
    struct err err = {0};
    fixture->ends = fixture->rooms = 0;
    struct content_writer *writer =
        content_writer_new(fixture->loop, fixture->folder, ID, max_size, &events, fixture, &err);
    if (!writer)
        fail_msg("%s", err.text);
    return writer;
}

/* The i-th byte of what is written: it does not repeat with the blocks. */
static char byte_at(uint64_t i)
{
    return (char)((i * 2654435761U) >> 13);
}

/* In pieces of this size, waiting for room when told to. */
static void add(struct fixture *fixture, struct content_writer *writer, uint64_t size, size_t piece)
{
    char *bytes = malloc(piece + 1);
    assert_non_null(bytes);
    for (uint64_t at = 0; at < size;) {
        size_t len = (size_t)MIN(size - at, piece);
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(at + i);
        at += len;
        int rooms = fixture->rooms;
        if (!content_writer_add(writer, (struct slice){bytes, len}))
            while (fixture->rooms == rooms)
                loop_run(fixture->loop);
    }
    free(bytes);
}

static void assert_content(const struct fixture *fixture, const char *id, uint64_t size)
{
    int fd = content_open(fixture->folder, id);
    assert_true(fd >= 0);
    char *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(fd_read_full(fd, bytes, (size_t)size + 1), size);
    for (uint64_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], byte_at(i));
    struct sha256_ctx hash;
    unsigned char digest[CONTENT_DIGEST_SIZE];
    sha256_init(&hash);
    sha256_update(&hash, (size_t)size, (const uint8_t *)bytes);
    sha256_digest(&hash, sizeof digest, digest);
    assert_memory_equal(digest, fixture->content.sha256, sizeof digest);
    assert_int_equal(fixture->content.size, size);
    free(bytes);
    (void)close(fd);
}

static void what_is_written_in_pieces_is_read_as_a_whole(void **state)
{
    static const struct {
        uint64_t size;
        size_t piece;
    } rows[] = {
        {0, 1},
        {1, 1},
        {1000, 7},
        {192 * KIB, 32 * KIB},
        {192 * KIB + 1, 1 * KIB},
        {384 * KIB, 8},
        {3 * MIB, 1000},
        {3 * MIB, MIB},
        {5 * MIB + 3, 32 * KIB},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct content_writer *writer = start(fixture, rows[i].size);
        add(fixture, writer, rows[i].size, rows[i].piece);
        assert_names(fixture, ID ".part");
        content_writer_finish(writer);
        assert_int_equal(fixture->ends, 0);
        loop_run(fixture->loop);
        assert_int_equal(fixture->ends, 1);
        assert_true(fixture->is_good);
        assert_names(fixture, ID);
        assert_content(fixture, ID, rows[i].size);
        assert_int_equal(content_remove(fixture->folder, ID), 0);
    }
}

static void the_digest_is_sha256(void **state)
{
    struct fixture *fixture = *state;
    static const unsigned char abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                                        0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
                                        0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c,
                                        0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    struct content_writer *writer = start(fixture, 3);
    assert_true(content_writer_add(writer, slice_of("abc")));
    content_writer_finish(writer);
    loop_run(fixture->loop);
    assert_memory_equal(fixture->content.sha256, abc, sizeof abc);
}

static void a_writer_faster_than_the_disk_is_held(void **state)
{
    struct fixture *fixture = *state;
    static char block[192 * KIB];
    struct content_writer *writer = start(fixture, GIB);
    struct slice bytes = {block, sizeof block};
    assert_true(content_writer_add(writer, bytes)); /* the pool has it */
    assert_false(content_writer_add(writer, bytes));
    loop_run(fixture->loop);
    assert_int_equal(fixture->rooms, 1);
    content_writer_abort(writer);
}

static void the_byte_after_the_most_is_too_many(void **state)
{
    static const uint64_t sizes[] = {0, 5, 300 * KIB, 2 * MIB};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct content_writer *writer = start(fixture, sizes[i]);
        add(fixture, writer, sizes[i] + 1, 16 * KIB + 1);
        add(fixture, writer, 100, 10); /* is thrown away */
        content_writer_finish(writer);
        loop_run(fixture->loop);
        assert_int_equal(fixture->ends, 1);
        assert_false(fixture->is_good);
        assert_int_equal(fixture->err.code, ERR_TOO_LARGE);
        assert_names(fixture, "");
    }
}

enum phase { NEW, FILLED, BUSY, HELD, ROOM, FINISHED, FINISHING, PHASE_COUNT };

static void nothing_is_left_of_what_is_aborted(void **state)
{
    struct fixture *fixture = *state;
    static char block[192 * KIB];
    for (enum phase phase = NEW; phase < PHASE_COUNT; phase++) {
        struct content_writer *writer = start(fixture, GIB);
        if (phase == FILLED)
            (void)content_writer_add(writer, slice_of("some"));
        if (phase >= BUSY)
            (void)content_writer_add(writer, (struct slice){block, sizeof block});
        if (phase >= HELD)
            (void)content_writer_add(writer, (struct slice){block, sizeof block});
        if (phase == ROOM)
            loop_run(fixture->loop);
        if (phase >= FINISHED)
            content_writer_finish(writer);
        if (phase == FINISHING) /* the pool has it, or has kept it already */
            (void)usleep(20000);
        content_writer_abort(writer);
        loop_run(fixture->loop);
        assert_int_equal(fixture->ends, 0);
        assert_int_equal(fixture->rooms, phase == ROOM);
        assert_names(fixture, "");
    }
}

static void what_was_kept_while_it_was_aborted_goes_too(void **state)
{
    struct fixture *fixture = *state;
    struct content_writer *writer = start(fixture, GIB);
    (void)content_writer_add(writer, slice_of("some"));
    content_writer_finish(writer);
    while (faccessat(fixture->folder, ID, F_OK, 0) < 0)
        ;
    content_writer_abort(writer);
    loop_run(fixture->loop);
    assert_int_equal(fixture->ends, 0);
    assert_names(fixture, "");
}

static void an_aborted_writer_outlives_its_folder(void **state)
{
    struct fixture *fixture = *state;
    int folder = fcntl(fixture->folder, F_DUPFD_CLOEXEC, 0);
    struct err err;
    struct content_writer *writer =
        content_writer_new(fixture->loop, folder, ID, 10, &events, fixture, &err);
    assert_non_null(writer);
    content_writer_abort(writer);
    (void)close(folder);
    loop_run(fixture->loop);
    assert_names(fixture, "");
}

static const char *const bad_ids[] = {
    "",   ".",   "..",       "a.part", "a/b", "../a",
    "/a", "a b", "\xc3\xa9", "a\n",    "-rf", "0123456789012345678901234567890123456789",
};

static void only_plain_ids_become_names(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(bad_ids); i++) {
        struct err err;
        assert_null(content_writer_new(fixture->loop, fixture->folder, bad_ids[i], 1, &events,
                                       fixture, &err));
        assert_int_equal(content_open(fixture->folder, bad_ids[i]), -EINVAL);
        assert_int_equal(content_remove(fixture->folder, bad_ids[i]), -EINVAL);
        content_copy(fixture->loop, fixture->folder, bad_ids[i], open("/dev/null", O_RDONLY), 0,
                     on_content, fixture);
        loop_run(fixture->loop);
        assert_false(fixture->is_good);
    }
    assert_int_equal(fixture->ends, ARRAY_LEN(bad_ids));
    assert_names(fixture, "");
}

static void one_id_is_written_once_at_a_time(void **state)
{
    struct fixture *fixture = *state;
    struct err err;
    struct content_writer *writer = start(fixture, 10);
    assert_null(content_writer_new(fixture->loop, fixture->folder, ID, 10, &events, fixture, &err));
    assert_int_equal(err.sys, EEXIST);
    content_writer_abort(writer);
}

static void links_and_folders_are_no_contents(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(symlinkat("/etc/passwd", fixture->folder, "link"), 0);
    assert_int_equal(mkdirat(fixture->folder, "folder", 0700), 0);
    assert_int_equal(mkfifoat(fixture->folder, "pipe", 0600), 0);
    assert_int_equal(symlinkat("/etc/passwd", fixture->folder, ID ".part"), 0);
    assert_int_equal(content_open(fixture->folder, "link"), -ELOOP);
    assert_int_equal(content_open(fixture->folder, "folder"), -EINVAL);
    assert_int_equal(content_open(fixture->folder, "pipe"), -EINVAL);
    assert_int_equal(content_open(fixture->folder, "none"), -ENOENT);
    assert_int_equal(content_remove(fixture->folder, "none"), 0);
    struct err err;
    assert_null(content_writer_new(fixture->loop, fixture->folder, ID, 10, &events, fixture, &err));
    assert_int_equal(err.sys, EEXIST);
    assert_int_equal(unlinkat(fixture->folder, "folder", AT_REMOVEDIR), 0);
}

static int file_of(struct fixture *fixture, uint64_t size)
{
    int fd = openat(fixture->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    char *bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    for (uint64_t i = 0; i < size; i++)
        bytes[i] = byte_at(i);
    assert_int_equal(fd_write_full(fd, bytes, (size_t)size), 0);
    free(bytes);
    return fd;
}

static void a_copy_has_the_same_bytes(void **state)
{
    static const uint64_t sizes[] = {0, 1, 256 * KIB, 256 * KIB + 1, 2 * MIB + 5};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        fixture->ends = 0;
        content_copy(fixture->loop, fixture->folder, ID, file_of(fixture, sizes[i]), sizes[i],
                     on_content, fixture);
        assert_int_equal(fixture->ends, 0);
        loop_run(fixture->loop);
        assert_int_equal(fixture->ends, 1);
        assert_true(fixture->is_good);
        assert_content(fixture, ID, sizes[i]);
        assert_int_equal(content_remove(fixture->folder, ID), 0);
    }
}

static void a_copy_of_what_is_too_short_or_no_file_fails_and_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    int pipes[2];
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    int fds[] = {file_of(fixture, 1000), pipes[0], open("/dev/zero", O_RDONLY | O_CLOEXEC),
                 open(fixture->path, O_RDONLY | O_CLOEXEC)};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        content_copy(fixture->loop, fixture->folder, ID, fds[i], 1001, on_content, fixture);
        loop_run(fixture->loop);
        assert_false(fixture->is_good);
        assert_int_equal(fcntl(fds[i], F_GETFD), -1);
        assert_names(fixture, "");
    }
    (void)close(pipes[1]);
}

static void on_bytes(void *context, const struct slice *contents, const struct err *err)
{
    struct fixture *fixture = context;
    fixture->ends++;
    fixture->is_good = contents != NULL;
    if (err)
        fixture->err = *err;
    buf_clear(&fixture->read);
    for (size_t i = 0; contents && i < fixture->count; i++) {
        fixture->lengths[i] = contents[i].len;
        buf_add_slice(&fixture->read, contents[i]);
    }
}

static void put(const struct fixture *fixture, const char *name, const char *text)
{
    int fd = openat(fixture->folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(fd_write_full(fd, text, strlen(text)), 0);
    (void)close(fd);
}

static void several_contents_are_read_at_once(void **state)
{
    static const struct {
        const char *ids[4];
        size_t count;
        uint64_t max_bytes;
        const char *bytes; /* NULL: it fails */
        enum err_code code;
        const char *text;
    } rows[] = {
        {{NULL}, 0, 0, "", 0, NULL},
        {{"a", "b", "empty", "a"}, 4, 9, "onetwoone", 0, NULL},
        {{"a", "b", "empty", "a"},
         4,
         8,
         NULL,
         ERR_TOO_LARGE,
         "the files together are over 8 bytes"},
        {{"a", "none", "gone"}, 3, 100, NULL, ERR_NOT_FOUND, "there is no file 'none'"},
        {{"a", "../a"}, 2, 100, NULL, ERR_NOT_FOUND, "there is no such file"},
        {{"empty"}, 1, 0, "", 0, NULL},
    };
    struct fixture *fixture = *state;
    put(fixture, "a", "one");
    put(fixture, "b", "two");
    put(fixture, "empty", "");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fixture->ends = 0;
        fixture->count = rows[i].count;
        content_read(fixture->loop, fixture->folder, rows[i].ids, rows[i].count, rows[i].max_bytes,
                     on_bytes, fixture);
        assert_int_equal(fixture->ends, 0);
        loop_run(fixture->loop);
        assert_int_equal(fixture->ends, 1);
        assert_int_equal(fixture->is_good, rows[i].bytes != NULL);
        if (rows[i].bytes) {
            assert_string_equal(buf_text(&fixture->read), rows[i].bytes);
            continue;
        }
        assert_int_equal(fixture->err.code, rows[i].code);
        assert_string_equal(fixture->err.text, rows[i].text);
    }
}

static bool knows_a(void *context, const char *id)
{
    (void)context;
    return strcmp(id, "a") == 0;
}

static void a_sweep_leaves_what_is_known(void **state)
{
    struct fixture *fixture = *state;
    static const char *const files[] = {"a", "a.part", "b", "c.part", ".hidden", "x y", "a~"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        put(fixture, files[i], "text");
    assert_int_equal(symlinkat("a", fixture->folder, "link"), 0);
    assert_int_equal(content_sweep(fixture->folder, knows_a, NULL), 0);
    assert_names(fixture, "a");
    assert_int_equal(unlinkat(fixture->folder, "a", 0), 0);
    assert_int_equal(symlinkat("b", fixture->folder, "a"), 0); /* the name of a known one */
    assert_int_equal(content_sweep(fixture->folder, knows_a, NULL), 0);
    assert_names(fixture, "");
}

static int small_disk(const char *size)
{
    auto_close int fs = sys_fsopen("tmpfs");
    if (fs < 0 || sys_fsconfig_text(fs, "size", size) < 0 || sys_fsconfig_create(fs) < 0)
        return -1;
    return sys_fsmount(fs, 0);
}

static void a_full_disk_fails_the_file_and_is_free_again(void **state)
{
    struct fixture *fixture = *state;
    if (geteuid() != 0) {
        skip(); /* only root mounts */
        return;
    }
    int own = fixture->folder;
    fixture->folder = small_disk("1M");
    assert_true(fixture->folder >= 0);
    for (int i = 0; i < 3; i++) {
        struct content_writer *writer = start(fixture, GIB);
        add(fixture, writer, 3 * MIB, 16 * KIB);
        content_writer_finish(writer);
        loop_run(fixture->loop);
        assert_int_equal(fixture->ends, 1);
        assert_false(fixture->is_good);
        assert_int_equal(fixture->err.code, ERR_STORAGE_FULL);
        assert_names(fixture, "");
        content_copy(fixture->loop, fixture->folder, ID, open("/proc/self/exe", O_RDONLY), 0,
                     on_content, fixture);
        loop_run(fixture->loop);
        assert_true(fixture->is_good);
        assert_int_equal(content_remove(fixture->folder, ID), 0);
        writer = start(fixture, GIB);
        add(fixture, writer, 900 * KIB, 16 * KIB);
        content_writer_finish(writer);
        loop_run(fixture->loop);
        assert_true(fixture->is_good);
        assert_content(fixture, ID, 900 * KIB);
        assert_int_equal(content_remove(fixture->folder, ID), 0);
    }
    (void)close(fixture->folder);
    fixture->folder = own;
}

static void a_copy_onto_a_full_disk_fails_too(void **state)
{
    struct fixture *fixture = *state;
    if (geteuid() != 0) {
        skip(); /* only root mounts */
        return;
    }
    int own = fixture->folder;
    int fd = file_of(fixture, MIB);
    fixture->folder = small_disk("512K");
    assert_true(fixture->folder >= 0);
    content_copy(fixture->loop, fixture->folder, ID, fd, MIB, on_content, fixture);
    loop_run(fixture->loop);
    assert_false(fixture->is_good);
    assert_int_equal(fixture->err.code, ERR_STORAGE_FULL);
    assert_names(fixture, "");
    (void)close(fixture->folder);
    fixture->folder = own;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_in_pieces_is_read_as_a_whole),
        TEST(the_digest_is_sha256),
        TEST(a_writer_faster_than_the_disk_is_held),
        TEST(the_byte_after_the_most_is_too_many),
        TEST(nothing_is_left_of_what_is_aborted),
        TEST(what_was_kept_while_it_was_aborted_goes_too),
        TEST(an_aborted_writer_outlives_its_folder),
        TEST(only_plain_ids_become_names),
        TEST(one_id_is_written_once_at_a_time),
        TEST(links_and_folders_are_no_contents),
        TEST(a_copy_has_the_same_bytes),
        TEST(a_copy_of_what_is_too_short_or_no_file_fails_and_leaves_nothing),
        TEST(several_contents_are_read_at_once),
        TEST(a_sweep_leaves_what_is_known),
        TEST(a_full_disk_fails_the_file_and_is_free_again),
        TEST(a_copy_onto_a_full_disk_fails_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
