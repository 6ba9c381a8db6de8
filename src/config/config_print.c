/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "config/config_private.h"

#define HELP_COLUMN 36

/* "TIME", "LAYER,…", "off|advise|refuse"; "" of a switch. Returns text. */
static const char *value_of(const struct config_key *key, char *text, size_t size)
{
    size_t len = 0;
    if (key->type == CONFIG_SWITCH)
        return "";
    if (key->type != CONFIG_CHOICE) {
        (void)snprintf(text, size, "%s%s", config_value_word(key),
                       key->type == CONFIG_LIST ? ",…" : "");
        return text;
    }
    for (const char *at = key->choices; *at && len + 1 < size; at++) {
        if (*at != ' ')
            text[len++] = *at == ',' ? '|' : *at;
    }
    text[len] = '\0';
    return text;
}

static void print_option(FILE *out, const struct config_key *key)
{
    char name[CONFIG_NAME_ROOM];
    char value[64];
    char option[128];
    bool valued = key->type != CONFIG_SWITCH;
    int len =
        snprintf(option, sizeof option, "  --%s%s%s", config_key_name(key, STYLE_OPTION, name),
                 valued ? " " : "", value_of(key, value, sizeof value));
    if (key->type == CONFIG_LIST)
        len -= (int)strlen("…") - 1; /* one column */
    (void)fputs(option, out);
    if (len > HELP_COLUMN - 2) { /* no room beside it */
        (void)fputc('\n', out);
        len = 0;
    }
    (void)fprintf(out, "%*s%s", HELP_COLUMN - len, "", key->help);
    if (config_preset(key) && valued)
        (void)fprintf(out, " (%s)", config_preset(key));
    (void)fputc('\n', out);
}

void config_print_options(FILE *out)
{
    const struct config_key *key = config_keys;
    (void)fputs("\nTIME is written 500ms, 10s, 5m or 2h, and SIZE 512K, 64M or 1G; in parentheses "
                "is what\nholds without the option.\n\n",
                out);
    for (; key->type != CONFIG_CEILING; key++)
        print_option(out, key);
    (void)fputs("\nCeilings, which cut what a request asks for (none lifts one):\n", out);
    for (; key->name; key++)
        print_option(out, key);
}

/* A cell of a table, in which '|' would end it. */
static void print_code(FILE *out, const char *text)
{
    (void)fputc('`', out);
    for (; *text; text++)
        (void)fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
    (void)fputc('`', out);
}

static void print_row(FILE *out, const struct config_key *key)
{
    char name[CONFIG_NAME_ROOM];
    char wanted[160];
    bool described = key->type != CONFIG_TEXT && key->type != CONFIG_LIST;
    (void)fputs("| ", out);
    print_code(out, config_key_name(key, STYLE_KEY, name));
    (void)fputs(" | ", out);
    if (described)
        (void)fputs(config_describe(key, wanted, sizeof wanted), out);
    else
        print_code(out, config_value_word(key));
    if (key->type == CONFIG_LIST)
        (void)fputs(", …", out);
    (void)fputs(" | ", out);
    if (config_preset(key))
        print_code(out, config_preset(key));
    (void)fprintf(out, " | %s", key->help);
    if (key->alias)
        (void)fprintf(out, "; also `%s` in the environment", key->alias);
    (void)fputs(" |\n", out);
}

void config_print_markdown(FILE *out)
{
    static const char head[] =
        "# Configuration\n"
        "\n"
        "<!-- Printed by the program from the table in src/config/config_keys.c. -->\n"
        "\n"
        "Every key can be set in three ways; a later one overrides an earlier one:\n"
        "\n"
        "1. a line in the configuration file: `max_memory = 512M`;\n"
        "2. a variable in the environment: `RUNNEL_MAX_MEMORY=512M`;\n"
        "3. an option of `runnel serve`: `--max-memory 512M`.\n"
        "\n"
        "In the file a line that starts with `#` is a comment. A key that takes a list may be\n"
        "given several times, and commas separate too; a list given in a later way replaces the\n"
        "earlier one. As an option, a key of the kind *yes or no* needs no value. A time without "
        "a\n"
        "unit is in seconds (`keep_runs = 30` keeps runs for half a minute), a size in bytes. A "
        "key\n"
        "that does not exist, and a value that makes no sense, keep Runnel from starting. A "
        "`.env`\n"
        "file is not read; systemd's `EnvironmentFile=` and compose's `env_file:` read one for "
        "it.\n"
        "\n"
        "Whoever may list processes sees their options: write secrets into the file or the\n"
        "environment. No message shows the value of `api_keys`, `signing_key`,\n"
        "`previous_signing_key`, `broker` or `stream`.\n"
        "\n"
        "| key | value | default | meaning |\n"
        "|---|---|---|---|\n";
    static const char ceilings[] =
        "\n"
        "## Ceilings\n"
        "\n"
        "No run gets more than this, whatever its request asks for. The defaults are those of\n"
        "`serve` and `worker`, whose requests come from others; the other commands have none.\n"
        "`none` lifts a ceiling: the limits of the run's profile and request hold as they are.\n"
        "\n"
        "| key | value | default | what it bounds |\n"
        "|---|---|---|---|\n";
    (void)fputs(head, out);
    const struct config_key *key = config_keys;
    for (; key->type != CONFIG_CEILING; key++)
        print_row(out, key);
    (void)fputs(ceilings, out);
    for (; key->name; key++)
        print_row(out, key);
}
