/* SPDX-License-Identifier: MIT */
#include "cli/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/json_write.h"
#include "dialect/result_fields.h"
#include "os/fd.h"
#include "os/sys.h"

enum { FOLDER_MODE = 0777, FILE_MODE = 0666 }; /* less the umask */

const char *const outputs_folders[] = {"outputs/", NULL};
const char outputs_artifacts[] = "outputs";

struct outputs {
    int folder;
    struct run_artifact *items; /* as they were told to us, without their descriptors */
    size_t count;
    uint64_t unlisted;
    struct err failure; /* the first of ours */
    bool has_failed;
};

struct outputs *outputs_new(const char *folder, struct err *err)
{
    struct outputs *outputs = calloc(1, sizeof *outputs);
    if (!outputs) {
        (void)err_sys(err, ENOMEM, "%s", folder);
        return NULL;
    }
    if (mkdir(folder, FOLDER_MODE) == 0 || errno == EEXIST)
        outputs->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    else
        outputs->folder = -1;
    if (outputs->folder >= 0 && faccessat(outputs->folder, ".", W_OK | X_OK, AT_EACCESS) == 0)
        return outputs;
    (void)err_sys(err, errno, "--outputs %s", folder);
    if (err)
        err->code = ERR_STORAGE_FULL;
    outputs_free(outputs);
    return NULL;
}

static void forget(struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        free(outputs->items[i].path);
    free(outputs->items);
    outputs->items = NULL;
    outputs->count = 0;
}

void outputs_free(struct outputs *outputs)
{
    if (!outputs)
        return;
    forget(outputs);
    fd_close(&outputs->folder);
    free(outputs);
}

/* --- one file --- */

/* The folder that the last name of a path is in, made where it is not there. *ret_name points
 * into the path, which is cut. */
static int open_parent(int folder, char *path, const char **ret_name)
{
    auto_close int parent = sys_open_beneath(folder, ".", O_PATH | O_DIRECTORY, 0);
    char *name = path;
    for (char *slash; parent >= 0 && (slash = strchr(name, '/')); name = slash + 1) {
        *slash = '\0';
        if (mkdirat(parent, name, FOLDER_MODE) < 0 && errno != EEXIST)
            return -errno;
        int next = sys_open_beneath(parent, name, O_PATH | O_DIRECTORY, 0);
        fd_close(&parent);
        parent = next;
    }
    *ret_name = name;
    return take_fd(&parent);
}

static int copy(int from, int to, uint64_t size)
{
    while (size > 0) {
        ssize_t sent = sendfile(to, from, NULL, (size_t)MIN(size, GIB));
        if (sent < 0 && errno != EINTR)
            return -errno;
        if (sent == 0)
            return -EIO; /* nobody is left who could have cut it */
        size -= sent > 0 ? (uint64_t)sent : 0;
    }
    return 0;
}

/* Never in place of another: a program must not choose which file of its user's it replaces. */
static int write_file(int parent, const char *name, const struct run_artifact *artifact)
{
    auto_close int fd = sys_open_beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL, FILE_MODE);
    if (fd < 0)
        return fd;
    int rc = copy(artifact->fd, fd, artifact->size);
    if (rc < 0)
        (void)unlinkat(parent, name, 0);
    return rc;
}

static int keep(int folder, const struct run_artifact *artifact)
{
    auto_free char *path = strdup(artifact->path);
    if (!path)
        return -ENOMEM;
    const char *name = path;
    auto_close int parent = open_parent(folder, path, &name);
    return parent < 0 ? parent : write_file(parent, name, artifact);
}

/* --- all of them --- */

static void add_failure(struct outputs *outputs, const char *path, int errnum)
{
    if (!outputs->has_failed) {
        (void)err_sys(&outputs->failure, errnum, "outputs/%s%s", path,
                      errnum == EEXIST ? " is not put in place of another (name an empty folder)"
                                       : "");
        outputs->failure.code = ERR_STORAGE_FULL;
    }
    outputs->has_failed = true;
}

/* What became of it; its texts are in one block. */
static int note(struct outputs *outputs, const struct run_artifact *artifact)
{
    size_t len = strlen(artifact->path) + 1;
    size_t refusal_len = artifact->refusal ? strlen(artifact->refusal) + 1 : 0;
    char *path = outputs->items ? malloc(len + refusal_len) : NULL;
    if (!path)
        return -ENOMEM;
    memcpy(path, artifact->path, len);
    if (artifact->refusal)
        memcpy(path + len, artifact->refusal, refusal_len);
    outputs->items[outputs->count++] =
        (struct run_artifact){.path = path,
                              .size = artifact->size,
                              .fd = -1,
                              .refusal = artifact->refusal ? path + len : NULL};
    return 0;
}

void outputs_keep(void *context, struct run *run, const struct run_result *result,
                  struct run_artifact *artifacts, size_t artifact_count)
{
    struct outputs *outputs = context;
    forget(outputs);
    outputs->unlisted = result->artifacts_unlisted;
    outputs->items = calloc(artifact_count + 1, sizeof *outputs->items);
    for (size_t i = 0; i < artifact_count; i++) {
        int rc = artifacts[i].refusal ? 0 : keep(outputs->folder, &artifacts[i]);
        if (rc < 0)
            artifacts[i].refusal = "it could not be written";
        int noted = note(outputs, &artifacts[i]);
        if (rc < 0 || noted < 0)
            add_failure(outputs, artifacts[i].path, rc < 0 ? -rc : -noted);
    }
    run_recorded(run);
}

/* --- telling of them --- */

void outputs_write(const struct outputs *outputs, struct json *json)
{
    json_open_array(json, "artifacts");
    for (size_t i = 0; i < outputs->count; i++) {
        if (outputs->items[i].refusal)
            continue;
        json_open_object(json, NULL);
        json_text(json, "name", outputs->items[i].path);
        json_u64(json, "size", outputs->items[i].size);
        json_close_object(json);
    }
    json_close_array(json);
    result_refused_write(json, outputs->items, outputs->count, outputs->unlisted);
}

/* A name may hold anything: JSON shows it on one line. */
static void tell_refused(const struct run_artifact *item)
{
    auto_buf struct buf name;
    buf_init(&name, 64 * KIB);
    struct json json = json_start(&name);
    json_text(&json, NULL, item->path);
    (void)fprintf(stderr, "runnel: %s of outputs/ was not kept: %s\n", buf_text(&name),
                  item->refusal);
}

void outputs_tell_refused(const struct outputs *outputs)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].refusal)
            tell_refused(&outputs->items[i]);
    if (outputs->unlisted > 0)
        (void)fprintf(stderr, "runnel: %" PRIu64 " more of outputs/ were not kept\n",
                      outputs->unlisted);
}

int outputs_check(const struct outputs *outputs, struct err *err)
{
    if (!outputs->has_failed)
        return 0;
    if (err)
        *err = outputs->failure;
    return -1;
}
