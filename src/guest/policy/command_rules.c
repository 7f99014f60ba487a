/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The table of rules that hold when the configuration says nothing else, and
 * the matching.  Programs that only look are no harm as an unprivileged user,
 * whatever they are told; those that act, and what could write files or start
 * a pager, are held by their arguments.
 */
#include <config.h>

#include "guest/policy/command_rules.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "proto/status.h"
#include "util/cleanup.h"

/* --- the default ---------------------------------------------------------- */

#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

/* Not units that are a way to run anything: a user's manager runs what lies in
 * that user's home, where transfers may write, another is a shell of root's, and
 * one loads modules.  Nor instances that lead elsewhere: in the file of a
 * template '-' becomes '/', and what is behind a backslash any byte. */
#define UNIT                                                        \
    "*!user@**|debug-shell*|modprobe@**|**@-**|**@**..**|**@**\\**" \
    "|" SYSTEM

/* Nor what ends the system, or what serves others in it all at once: targets,
 * and what they start. */
#define SYSTEM                                                              \
    "*.target|rescue|rescue.*|emergency|emergency.*|systemd-reboot*"        \
    "|systemd-poweroff*|systemd-halt*|systemd-kexec*|systemd-exit*"         \
    "|systemd-soft-reboot*|systemd-suspend*|systemd-hibernate*"             \
    "|systemd-hybrid-sleep*|reboot|halt|poweroff|shutdown|kexec|kexec-load" \
    "|single|killprocs|killall|sendsigs|umountfs|umountroot"

/* A name, and nothing for the shell to expand. */
#define NAME "*!"

/* Nothing that names a file, a folder, another machine or another manager. */
static const struct rule defaults[] = {
    { .program = "ls", .looks = true },
    { .program = "cat", .looks = true },
    { .program = "head", .looks = true },
    { .program = "tail", .looks = true },
    { .program = "grep", .looks = true },
    { .program = "df", .looks = true },
    { .program = "free", .looks = true },
    { .program = "ps", .looks = true },
    { .program = "netstat", .looks = true },
    { .program = "top", .looks = true, .always = WORDS("-b") },
    { .program = "journalctl",
      .looks = true,
      .always = WORDS("--no-pager"),
      .options = WORDS(
          "-a", "-b", "-b*", "-e", "-f", "-k", "-l", "-m", "-n", "-q", "-r",
          "-x", "-c *", "-F *", "-g **", "-n *", "-o *", "-p *", "-t **",
          "-u *", "-S **", "-U **", "-N", "-h", "--after-cursor *", "--all",
          "--boot", "--boot=*", "--case-sensitive", "--case-sensitive=*",
          "--catalog", "--cursor *", "--disk-usage", "--dmesg",
          "--exclude-identifier *", "--facility *", "--field *", "--fields",
          "--follow", "--full", "--grep **", "--header", "--help",
          "--identifier **", "--lines", "--lines *", "--list-boots", "--merge",
          "--no-full", "--no-hostname", "--no-pager", "--no-tail",
          "--output *", "--output-fields *", "--pager-end", "--priority *",
          "--quiet", "--reverse", "--show-cursor", "--since **", "--system",
          "--truncate-newline", "--unit *", "--until **", "--user-unit *",
          "--utc", "--version"),
      .arguments = WORDS("*=**|+...") },
    { .program = "systemctl",
      .always = WORDS("--no-pager"),
      .options = WORDS(
          "-a", "-h", "-l", "-q", "-r", "-n *", "-o *", "-p *", "-P *", "-t *",
          "--after", "--all", "--before", "--failed", "--full", "--help",
          "--lines *", "--no-ask-password", "--no-block", "--no-legend",
          "--no-pager", "--now", "--output *", "--plain", "--property *",
          "--quiet", "--recursive", "--reverse", "--state *", "--system",
          "--type *", "--value", "--version", "--wait"),
      .arguments = WORDS(
          "",
          "list-automounts|list-dependencies|list-jobs|list-paths|"
          "list-sockets|list-timers|list-unit-files|list-units *...",
          "cat|is-active|is-enabled|is-failed|show|status *...",
          "get-default|is-system-running",
          "start|stop|restart|reload|enable|disable " UNIT " " UNIT "...") },
    { .program = "service",
      .options = WORDS("--help", "--status-all", "--version"),
      .arguments = WORDS("", NAME " status",
                         UNIT " start|stop|restart|reload|force-reload|"
                              "try-restart|condrestart|enable|disable") },
};

/* --- which one ------------------------------------------------------------ */

static const char *name_of(const char *program)
{
    const char *slash = strrchr(program, '/');

    return slash ? slash + 1 : program;
}

static const struct command_rule *given(const struct settings *settings,
                                        const char *program)
{
    const struct command_rule *rules = settings->command_rules.items;

    for (size_t i = 0; i < settings->command_rules.n; i++)
        if (strcmp(rules[i].program, program) == 0)
            return &rules[i];
    return NULL;
}

/* An empty list is as none, as elsewhere in the configuration. */
static void put_list(const char *const **to, const struct strlist *list)
{
    if (list->n > 0)
        *to = (const char *const *) list->items;
}

static void put_over(struct rule *rule, const struct command_rule *over)
{
    put_list(&rule->always, &over->always);
    put_list(&rule->options, &over->options);
    put_list(&rule->arguments, &over->arguments);
    if (over->user) {
        rule->user = over->user;
        rule->looks = false;
    }
}

bool command_rule_find(const struct settings *settings, const char *program,
                       struct rule *rule)
{
    const char *name = name_of(program);
    const struct command_rule *over = given(settings, program);

    *rule = (struct rule) { .program = NULL };
    if (strlist_has(&settings->allowed_commands, "*"))
        return false;
    if (!over)
        over = given(settings, name);
    for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
        if (strcmp(defaults[i].program, name) == 0)
            *rule = defaults[i];
    if (over) {
        rule->program = over->program;
        put_over(rule, over);
    }
    return rule->program != NULL;
}

bool command_rule_restricts(const struct rule *rule)
{
    return rule->options || rule->arguments;
}

/* --- patterns ------------------------------------------------------------- */

/* What a single '*' stands for. */
static bool in_name(char c)
{
    return (unsigned char) c > ' ' && c != '/';
}

/* n: the length of the pattern.  Return: 1: it matches; 0: not from here; -1:
 * nor from anywhere behind it, for a run has been tried up to the end */
static int match(const char *pattern, size_t n, const char *word)
{
    bool wilder;
    int r;

    for (; n > 0 && *pattern != '*'; n--)
        if (*pattern++ != *word++)
            return 0;
    if (n == 0)
        return *word == '\0';
    wilder = n > 1 && pattern[1] == '*';
    pattern += wilder ? 2 : 1;
    n -= wilder ? 2 : 1;
    for (; (r = match(pattern, n, word)) == 0; word++)
        if (!*word || !(wilder || in_name(*word)))
            return *word ? 0 : -1;
    return r;
}

/* It leads out of where a pattern says that it is. */
static bool goes_up(const char *word)
{
    while (*word) {
        size_t n = strcspn(word, "/");

        if (n == 2 && memcmp(word, "..", 2) == 0)
            return true;
        word += n;
        word += strspn(word, "/");
    }
    return false;
}

/* value: behind the name of an option, where a '-' begins none. */
static bool match_one(const char *pattern, size_t n, const char *word,
                      bool value)
{
    bool wild = n > 0 && *pattern == '*';
    bool wilder = wild && n > 1 && pattern[1] == '*';

    if ((wild && !value && *word == '-') || (wild && !wilder && *word == '.'))
        return false;
    if (memchr(pattern, '*', n) && goes_up(word))
        return false;
    return match(pattern, n, word) > 0;
}

/* Of patterns of n bytes, and of those behind '!' none. */
static bool match_any(const char *patterns, size_t n, const char *word,
                      bool value)
{
    const char *end = patterns + n;
    const char *but = memchr(patterns, '!', n);

    if (but) /* a word that is a pattern might stand for what is not meant */
        return !strpbrk(word, "*?[")
               && !match_any(but + 1, (size_t) (end - but) - 1, word, value)
               && match_any(patterns, (size_t) (but - patterns), word, value);
    for (;;) {
        const char *bar = memchr(patterns, '|', (size_t) (end - patterns));
        size_t length = (size_t) ((bar ? bar : end) - patterns);

        if (match_one(patterns, length, word, value))
            return true;
        if (!bar)
            return false;
        patterns = bar + 1;
    }
}

bool command_rule_match(const char *patterns, const char *word)
{
    return match_any(patterns, strlen(patterns), word, false);
}

/* --- options -------------------------------------------------------------- */

/* Where the pattern for the value begins.  Return: NULL: it takes none. */
static const char *value_of(const char *option)
{
    const char *blank = strchr(option, ' ');

    return blank ? blank + 1 : NULL;
}

/* Is the value that of the option?  attached: it is in the same word. */
static bool takes(const char *pattern, const char *value, bool attached)
{
    return value && match_any(pattern, strlen(pattern), value, attached);
}

/* "--long", "--long=VALUE", "--long" "VALUE"; also "-x" "VALUE" and whatever
 * else is there as it is.  Return: how many words it is; 0: not in the list */
static int whole_option(const char *const *options, char *const *words)
{
    bool flag = false;

    for (; *options; options++) {
        const char *value = value_of(*options);
        size_t n = strcspn(*options, " ");

        if (!value) {
            flag = flag || command_rule_match(*options, words[0]);
            continue;
        }
        if (strncmp(words[0], *options, n) != 0)
            continue;
        if (!words[0][n] && takes(value, words[1], false))
            return 2;
        if (words[0][n] == '=' && n > 2
            && takes(value, words[0] + n + 1, true))
            return 1;
    }
    return flag ? 1 : 0;
}

/* The entry of a letter, with a value or without.  Return: it, or NULL. */
static const char *letter_entry(const char *const *options, char letter,
                                bool with_value)
{
    for (; *options; options++)
        if ((*options)[0] == '-' && (*options)[1] == letter
            && (*options)[2] == (with_value ? ' ' : '\0'))
            return *options;
    return NULL;
}

/* "-abc", "-abVALUE", "-ab" "VALUE".  Return: as whole_option() */
static int letters(const char *const *options, char *const *words)
{
    for (const char *at = words[0] + 1; *at; at++) {
        const char *entry = letter_entry(options, *at, true);

        if (entry && at[1] && takes(value_of(entry), at + 1, true))
            return 1;
        if (entry && !at[1] && takes(value_of(entry), words[1], false))
            return 2;
        if (!letter_entry(options, *at, false))
            return 0;
    }
    return 1;
}

static int option(const char *const *options, char *const *words)
{
    int n = options ? whole_option(options, words) : 0;

    if (n == 0 && options && words[0][1] != '-')
        n = letters(options, words);
    return n;
}

/* --- arguments ------------------------------------------------------------ */

static bool form_fits(const char *form, char *const *words)
{
    while (*form) {
        size_t n = strcspn(form, " ");
        bool often = n > 3 && strncmp(form + n - 3, "...", 3) == 0;
        size_t length = often ? n - 3 : n;

        if (!often && !(*words && match_any(form, length, *words, false)))
            return false;
        if (!often)
            words++;
        while (often && *words && match_any(form, length, *words, false))
            words++;
        form += n;
        form += strspn(form, " ");
    }
    return !*words;
}

static int check_arguments(const struct rule *rule, char *const *words,
                           struct error *err)
{
    for (const char *const *form = rule->arguments; form && *form; form++)
        if (form_fits(*form, words))
            return 0;
    if (!rule->arguments && !*words)
        return 0;
    return error_set(err, STATUS_PERMISSION_DENIED,
                     "%s: arguments such as these ('%.64s'%s) are not in its "
                     "rule (security.command_rules in the configuration of "
                     "the agent)",
                     rule->program, *words ? *words : "",
                     *words && words[1] ? " ..." : "");
}

int command_rule_check(const struct rule *rule, char *const *argv,
                       struct error *err)
{
    AUTO_FREE char **words = NULL; /* that are no options */
    bool options = true;
    size_t n = 0;

    if (!command_rule_restricts(rule))
        return 0;
    while (argv[n])
        n++;
    words = calloc(n + 1, sizeof(*words));
    if (!words)
        return -ENOMEM;
    n = 0;
    for (argv++; *argv;) {
        int used = 1;

        if (!options || (*argv)[0] != '-' || !(*argv)[1])
            words[n++] = *argv;
        else if (strcmp(*argv, "--") == 0)
            options = false;
        else
            used = option(rule->options, argv);
        if (used == 0)
            return error_set(err, STATUS_PERMISSION_DENIED,
                             "%s: option '%.64s' is not in its rule "
                             "(security.command_rules in the configuration "
                             "of the agent)",
                             rule->program, *argv);
        argv += used;
    }
    return check_arguments(rule, words, err);
}
