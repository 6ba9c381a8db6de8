/* SPDX-License-Identifier: MIT */
#include "dialect/request_fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "language/language.h"

/* Of a language's name that we do not know, and print back. */
#define SHOWN_NAME_MAX 60

static int unknown_language(struct slice name, struct err *err)
{
    auto_buf struct buf shown;
    buf_init(&shown, SHOWN_NAME_MAX + sizeof "…");
    buf_add(&shown, name.at, MIN(name.len, (size_t)SHOWN_NAME_MAX));
    if (name.len > SHOWN_NAME_MAX)
        buf_add_text(&shown, "…");
    return err_set(err, ERR_UNKNOWN_LANGUAGE, "Unsupported language: %s", buf_text(&shown));
}

int request_find_language(const struct catalogue *catalogue, struct slice name,
                          const struct language **ret_language, struct err *err)
{
    const struct language *language = catalogue_find(catalogue, name);
    if (!language)
        return unknown_language(name, err);
    if (!language->installed)
        return err_set(err, ERR_NOT_INSTALLED, "%s is not installed on this server%s%s",
                       language->title, language->packages ? "; Debian packages: " : "",
                       language->packages ? language->packages : "");
    *ret_language = language;
    return 0;
}

void request_rename_field(struct err *err, const char *from, const char *to)
{
    if (strcmp(err->field, from) == 0)
        (void)snprintf(err->field, sizeof err->field, "%s", to);
}

int request_read_texts(const json_t *body, const char *field, const char ***ret_texts,
                       struct err *err)
{
    const json_t *list = json_object_get(body, field);
    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return err_field(err, field, "%s must be an array of strings", field);
    size_t count = json_array_size(list);
    auto_free const char **texts = calloc(count + 1, sizeof *texts);
    if (!texts)
        return err_sys(err, errno, "%s", field);
    for (size_t i = 0; i < count; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
        if (!texts[i])
            return err_field(err, field, "%s must be an array of strings", field);
    }
    *ret_texts = take_ptr(&texts);
    return 0;
}

/* Bytes of all "NAME=value" and their NULs; -1 when one cannot be written so. */
static int measure_env(json_t *object, const char *field, size_t *ret_size, struct err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (strchr(name, '='))
            return err_field(err, field, "%s has a name with '=' in it", field);
        if (!json_is_string(value))
            return err_field(err, field, "%s.%.100s must be a text", field, name);
        *ret_size += strlen(name) + 1 + json_string_length(value) + 1;
    }
    return 0;
}

int request_read_env(const json_t *body, const char *field, const char ***ret_texts,
                     struct err *err)
{
    json_t *object = json_object_get(body, field);
    size_t size = 0;
    if (!object || json_is_null(object))
        return 0;
    if (!json_is_object(object))
        return err_field(err, field, "%s must be an object of texts", field);
    if (measure_env(object, field, &size, err) < 0)
        return -1;
    size_t count = json_object_size(object);
    const char **texts = malloc((count + 1) * sizeof *texts + size);
    if (!texts)
        return err_sys(err, errno, "%s", field);
    char *at = (char *)(texts + count + 1);
    const char *name;
    json_t *value;
    size_t i = 0;
    json_object_foreach(object, name, value)
    {
        texts[i++] = at;
        at += sprintf(at, "%s=%s", name, json_string_value(value)) + 1;
    }
    texts[count] = NULL;
    *ret_texts = texts;
    return 0;
}

static int read_file(const json_t *item, const char *field, struct run_file *ret_file,
                     struct err *err)
{
    struct slice path = {0};
    if (!json_is_object(item))
        return err_field(err, field, "%s must be an array of objects", field);
    if (json_read_text(item, "path", &path, err) < 0 ||
        json_read_text(item, "content", &ret_file->content, err) < 0)
        return -1;
    if (path.len == 0)
        return err_field(err, field, "each of %s needs a path", field);
    ret_file->path = path.at; /* jansson ends it, and there is no NUL in it */
    return 0;
}

int request_read_files(const json_t *body, const char *field, struct run_file **ret_files,
                       size_t *ret_count, struct err *err)
{
    const json_t *list = json_object_get(body, field);
    if (!list || json_is_null(list))
        return 0;
    if (!json_is_array(list))
        return err_field(err, field, "%s must be an array of objects", field);
    size_t count = json_array_size(list);
    auto_free struct run_file *files = calloc(count + 1, sizeof *files);
    if (!files)
        return err_sys(err, errno, "%s", field);
    for (size_t i = 0; i < count; i++) {
        if (read_file(json_array_get(list, i), field, &files[i], err) < 0)
            return -1;
    }
    *ret_files = take_ptr(&files);
    *ret_count = count;
    return 0;
}
