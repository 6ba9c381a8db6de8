/* SPDX-License-Identifier: MIT */
/* parse.h — numbers as people write them, refused rather than guessed at.
 *
 * Each takes the whole of a NUL-terminated text; a sign, a blank, a leftover or
 * an overflow is an error. Return 0, -EINVAL (not of the form) or -ERANGE.
 */
#ifndef RUNNEL_BASE_PARSE_H
#define RUNNEL_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int parse_u64(const char *text, uint64_t *ret_value);

/* "67108864", "64K", "64M", "1G" (powers of 1024; "64MiB" and "64MB" too). */
int parse_bytes(const char *text, uint64_t *ret_bytes);

/* "1500ms", "2s", "1.5s", "5m", "1h", "30d"; a bare number is seconds ("2", "0.5"). */
int parse_duration_ms(const char *text, uint64_t *ret_ms);

/* "1", "0.5", "2.25": thousandths. */
int parse_milli(const char *text, uint64_t *ret_milli);

/* yes/no, true/false, on/off, 1/0. */
int parse_bool(const char *text, bool *ret_value);

/* "64 MiB", "1500 B": exact, the largest unit that divides. Returns text. */
const char *format_bytes(char *text, size_t size, uint64_t bytes);
/* "2026-11-21T11:30:00.125Z". Returns text. */
enum { TIME_TEXT_SIZE = 32 };
const char *format_time(char text[TIME_TEXT_SIZE], uint64_t unix_ms);
/* The same form, with or without the fraction. */
int parse_time(const char *text, uint64_t *ret_unix_ms);
/* "30 d", "5 min", "10 s", "1500 ms": exact, the largest unit that divides. */
const char *format_duration(char *text, size_t size, uint64_t ms);
/* "one, two, three", cut where the room ends. Returns text. */
const char *format_list(char *text, size_t size, const char *const *words);

#endif
