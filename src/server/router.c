/* SPDX-License-Identifier: MIT */
#include "server/router.h"

#include <assert.h>
#include <string.h>

static bool method_fits(const char *wanted, const char *method)
{
    bool any = strcmp(wanted, "*") == 0 && strcmp(method, HTTP_WEBSOCKET) != 0;
    return any || strcmp(wanted, method) == 0 ||
           (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* Up to the next slash or the end. */
static struct slice take_segment(const char **at)
{
    const char *start = *at;
    *at += strcspn(start, "/");
    return (struct slice){start, (size_t)(*at - start)};
}

static bool path_fits(const char *pattern, const char *path, struct route_match *match)
{
    match->capture_count = 0;
    /* Both stand before a slash, or at their end. */
    while (*pattern && *path) {
        if (*pattern++ != '/' || *path++ != '/')
            return false;
        if (strcmp(pattern, "*") == 0)
            return true;
        struct slice wanted = take_segment(&pattern);
        struct slice segment = take_segment(&path);
        if (wanted.len > 0 && wanted.at[0] == ':' && segment.len > 0) {
            assert(match->capture_count < ROUTE_CAPTURES_MAX);
            match->captures[match->capture_count++] = (struct route_capture){
                {wanted.at + 1, wanted.len - 1},
                segment,
            };
        } else if (!slice_equal(wanted, segment)) {
            return false;
        }
    }
    return !*pattern && (!*path || (path[-1] != '/' && strcmp(path, "/") == 0));
}

static bool mount_fits(const struct http_mount *mount, const char *method, const char *path,
                       struct route_match *match)
{
    for (const struct http_route *route = mount->routes; route->method; route++) {
        if (method_fits(route->method, method) && path_fits(route->path, path, match)) {
            match->route = route;
            match->mount = mount->name;
            match->context = mount->context;
            return true;
        }
    }
    return false;
}

struct route_match route_find(const struct http_config *config, const char *dialect,
                              const char *method, const char *path)
{
    struct route_match match = {0};
    for (size_t i = 0; dialect && i < config->mount_count; i++) {
        const struct http_mount *mount = &config->mounts[i];
        if (strcmp(mount->name, dialect) == 0 && mount_fits(mount, method, path, &match))
            return match;
    }
    for (size_t i = 0; i < config->mount_count; i++)
        if (mount_fits(&config->mounts[i], method, path, &match))
            return match;
    return (struct route_match){0};
}

struct route_match route_find_rest(const struct http_config *config, const char *dialect,
                                   const char *method)
{
    for (size_t i = 0; dialect && i < config->mount_count; i++) {
        const struct http_mount *mount = &config->mounts[i];
        const struct http_route *route = mount->routes;
        if (strcmp(mount->name, dialect) != 0)
            continue;
        while (route->method &&
               (strcmp(route->path, "*") != 0 || !method_fits(route->method, method)))
            route++;
        if (route->method)
            return (struct route_match){
                .route = route, .mount = mount->name, .context = mount->context};
    }
    return (struct route_match){0};
}
