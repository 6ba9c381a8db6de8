/* SPDX-License-Identifier: MIT */
/* page.h — the browser's front end: files that are part of the program.
 *
 *     GET /               the page
 *     GET /assets/NAME    what it loads; the names carry a hash of the content
 *
 * They are kept compressed and sent so. The mount needs no context:
 *
 *     {PAGE_NAME, page_routes, NULL}
 *
 * Without web/build before our own build, page_files holds one page that says
 * how to get the other.
 */
#ifndef RUNNEL_DIALECT_PAGE_H
#define RUNNEL_DIALECT_PAGE_H

#include "base/slice.h"
#include "server/http.h"

#define PAGE_NAME "page" /* of the mount */

struct page_file {
    const char *path;   /* "/", "/assets/main-1A2B3C4D.js"; NULL ends the table */
    const char *type;   /* its name's ending: "html", "js" */
    const char *etag;   /* "W/\"…\"": weak, for it stands for both forms below */
    struct slice gzip;  /* never empty */
    struct slice plain; /* for who takes nothing compressed; only "/" has it */
};

/* tools/embed.py makes it; tests bring their own. */
extern const struct page_file page_files[];

extern const struct http_route page_routes[];

#endif
