/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * The checks from the socket on, which need no libvirt.  Whether somebody
 * listens is read from /proc/net/unix: the agent would take a connection made
 * for that for a client.
 */
#include <config.h>

#include "host/doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/client/answer.h"
#include "host/client/attempts.h"
#include "host/client/connect.h"
#include "host/client/keyfile.h"
#include "host/link/holder.h"
#include "host/link/lock.h"
#include "host/link/sock.h"
#include "proto/auth.h"
#include "proto/route.h"
#include "proto/status.h"
#include "util/clock.h"

#define CLOCK_SLACK_S 2 /* less is the answer's own way */
#define ANSWER_MS 2000  /* an agent that has synced, and needs not look */
#define SOCKET_MS 100   /* for a connect that is expected to fail */
#define PROC_ROW_MAX 512

/* --- the socket ---------------------------------------------------------- */

/* Does a row of /proc/net/unix say that this path is listened at?  It ends
 * with the path, and bit 16 of the flags is __SO_ACCEPTCON. */
static bool row_listens(const char *row, const char *path)
{
    unsigned int flags = 0;
    int at = 0;

    return sscanf(row, "%*x: %*x %*x %x %*x %*x %*u %n", &flags, &at) == 1
           && at > 0 && (flags & 0x10000) && strcmp(row + at, path) == 0;
}

/* To connect for this would be seen by the agent, and be in the way. */
static bool is_listening(const char *path)
{
    FILE *rows = fopen("/proc/net/unix", "re");
    char row[PROC_ROW_MAX];
    bool found = false;

    while (rows && !found && fgets(row, sizeof(row), rows)) {
        row[strcspn(row, "\n")] = '\0';
        found = row_listens(row, path);
    }
    if (rows)
        fclose(rows);
    return found;
}

/* Return: 0, or why it cannot be connected to. */
static int socket_try(const char *path, struct error *err)
{
    struct transport *transport = NULL;
    int r;

    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 && is_listening(path))
        return 0;
    /* Another name of the path, or another container: only then is it worth
     * a try, and otherwise it has the words. */
    r = sock_connect(path, deadline_in(SOCKET_MS), &transport, err);
    if (transport)
        transport->ops->close(transport);
    return r == -ETIMEDOUT || r == -EBUSY ? 0 : r;
}

/* As dial.c goes: why the socket is not even tried; NULL when it is. */
static const char *stream_reason(const struct doctor *doctor)
{
    const struct target *target = doctor->target;
    enum target_transport transport = doctor->source->transport;

    if (!target->name || transport == TRANSPORT_SOCKET)
        return NULL;
    if (transport == TRANSPORT_STREAM)
        return "as asked for";
    if (target->remote)
        return "libvirt is on another machine";
    return target->socket ? NULL : "the channel has no socket here";
}

/* Where the stream takes over by itself, the socket is no failure. */
static void socket_failed(struct doctor *doctor, const struct error *err,
                          struct finding *finding)
{
    finding_fail(finding, err);
    if (!doctor->target->name || doctor->source->transport != TRANSPORT_AUTO
        || (err->code != -EACCES && err->code != -ENOENT))
        return;
    doctor->by_stream = true;
    finding_set(finding, FINDING_WARN, "%s; libvirt's stream is tried instead",
                err->message);
}

void check_socket(struct doctor *doctor, struct finding *finding)
{
    const char *path = doctor->target->socket;
    const char *reason = stream_reason(doctor);
    struct error err = ERROR_INIT;

    if (reason) {
        doctor->by_stream = true;
        finding_set(finding, FINDING_OK, "not used but libvirt's stream: %s",
                    reason);
    } else if (!path) {
        finding_set(finding, FINDING_FAIL,
                    "the channel has no socket on this machine");
        finding_mend(finding, "--transport stream");
    } else if (socket_try(path, &err) < 0) {
        socket_failed(doctor, &err, finding);
    } else {
        finding_set(finding, FINDING_OK, "%s", path);
    }
}

/* One of our own kind says who it is.  Return: is one in the way? */
static bool lock_is_held(const struct doctor *doctor, struct finding *finding)
{
    struct lock_terms terms = { .dir = doctor->config.lock_dir,
                                .wait_ms = doctor->setup.lock_wait,
                                .wake_fd = -1 };
    struct lock lock = LOCK_INIT;
    struct error err = ERROR_INIT;
    int r = lock_take(&lock, doctor->target->socket, &terms, &err);

    lock_release(&lock);
    if (r == -EBUSY)
        finding_fail(finding, &err);
    return r == -EBUSY;
}

/* A channel has one client at a time. */
void check_client(struct doctor *doctor, struct finding *finding)
{
    char words[HOLDER_WORDS_MAX];
    struct holder holder;
    int r;

    if (doctor->by_stream) {
        finding_set(finding, FINDING_OK,
                    "libvirtd is the client, for whoever opens its stream");
        return;
    }
    if (lock_is_held(doctor, finding))
        return;
    r = holder_find(doctor->target->socket, -1, &holder);
    if (r < 0) {
        finding_set(finding, FINDING_SKIPPED,
                    "the kernel does not tell who is connected: %s",
                    strerror(-r));
    } else if (r == HOLDER_OTHER) {
        finding_set(finding, FINDING_FAIL, "%s is connected to the channel",
                    holder_words(&holder, words));
        if (holder.pid)
            finding_mend(finding, "wait for it, or: kill %ld",
                         (long) holder.pid);
        else
            finding_mend(finding,
                         "sudo ss -xp (the client is the peer of the "
                         "row with '%s')",
                         doctor->target->socket);
    } else {
        finding_set(finding, FINDING_OK, "nobody else is connected");
    }
}

/* --- the agent ----------------------------------------------------------- */

/* A key that cannot be used is a matter of auth, if the agent asks for one at
 * all; the client would not even connect. */
static void take_key(struct doctor *doctor)
{
    struct buf key;
    int r;

    buf_init(&key, AUTH_KEY_MAX + 2);
    r = keyfile_load(&doctor->config, doctor->target->name, &key,
                     &doctor->key);
    doctor->has_key = r == 0;
    if (r != 0) {
        doctor->config.auth_key_file = NULL;
        doctor->config.auth_key_dir = NULL;
    }
    buf_free(&key);
}

void check_sync(struct doctor *doctor, struct finding *finding)
{
    int64_t start = clock_us();
    struct error err = ERROR_INIT;
    int r = -ECONNRESET;

    take_key(doctor);
    /* Who hangs up on the marker is asked without it the third time. */
    for (int i = 0; i < 3 && r == -ECONNRESET; i++) {
        error_clear(&err);
        r = client_connect(&doctor->client, &err);
    }
    if (r < 0) {
        finding_fail(finding, &err);
        return;
    }
    finding_set(finding, FINDING_OK, "answered in %.1f ms",
                (double) (clock_us() - start) / 1000);
}

void check_version(struct doctor *doctor, struct finding *finding)
{
    const char *theirs = doctor->client.rpc.peer.version;

    if (doctor->client.rpc.peer.plain) {
        finding_set(finding, FINDING_WARN,
                    "the server in the guest knows only the specification: "
                    "no sessions, no jobs");
        finding_mend(finding, "in the guest: vsrpc-agent instead of it");
        return;
    }
    if (strcmp(theirs, PACKAGE_VERSION) == 0) {
        finding_set(finding, FINDING_OK, "%s on both sides", theirs);
        return;
    }
    finding_set(finding, FINDING_WARN, "the agent has %s, this program %s",
                *theirs ? theirs : "none that it names", PACKAGE_VERSION);
    finding_mend(finding, "install the same version in the guest and here");
}

void check_clock(struct doctor *doctor, struct finding *finding)
{
    int64_t ahead = doctor->client.rpc.peer.clock_ahead;
    int64_t off = ahead < 0 ? -ahead : ahead;

    if (off <= CLOCK_SLACK_S) {
        finding_set(finding, FINDING_OK, "the guest's is right within %d s",
                    CLOCK_SLACK_S);
        return;
    }
    finding_set(finding, FINDING_WARN, "the guest's is %" PRId64 " s %s", off,
                ahead > 0 ? "ahead" : "behind");
    finding_mend(finding,
                 "in the guest: systemctl restart chronyd (or "
                 "systemd-timesyncd); without either: date -s @%" PRId64,
                 clock_wall());
}

/* --- what it lets us do -------------------------------------------------- */

static int ask_capabilities(struct doctor *doctor, struct error *err)
{
    bool plain = doctor->client.rpc.peer.plain;
    struct client_request request = { .method = "GET",
                                      .target = plain ? API_PREFIX "/ping"
                                                      : API_PREFIX
                                                    "/capabilities",
                                      .read_ms = ANSWER_MS };
    int r = client_send_request(&doctor->client, &request,
                                &doctor->capabilities, err);

    return r < 0 ? r
                 : answer_error(&doctor->client, &doctor->capabilities, err);
}

static void key_missing(const struct doctor *doctor, struct finding *finding)
{
    const char *domain = doctor->target->name;

    if (doctor->key.code) {
        finding_fail(finding, &doctor->key);
        return;
    }
    finding_set(finding, FINDING_FAIL,
                "the agent wants signed requests, and "
                "no key is configured here");
    finding_mend(finding,
                 "copy the guest's key file (its security.auth_key_file) and "
                 "chmod 600 it");
    finding_mend(finding,
                 "in " CONFIG_FILE ": security.auth_key_file, or "
                 "security.auth_key_dir with %s.key in it",
                 domain && !strchr(domain, '/') ? domain : "default");
}

void check_auth(struct doctor *doctor, struct finding *finding)
{
    bool wanted = doctor->client.rpc.peer.auth;
    struct error err = ERROR_INIT;
    int r;

    if (wanted && !doctor->has_key) {
        key_missing(doctor, finding);
        return;
    }
    r = ask_capabilities(doctor, &err);
    if (r == STATUS_AUTH_FAILED) {
        finding_set(finding, FINDING_FAIL, "%s", err.message);
        finding_mend(finding, "the key here and the guest's "
                              "security.auth_key_file must be the same: "
                              "compare sha256sum of both");
    } else if (r != 0) {
        finding_fail(finding, &err);
    } else if (!wanted && doctor->key.code) {
        finding_set(finding, FINDING_WARN, "requests need no signature; %s",
                    doctor->key.message);
        if (*doctor->key.hint)
            finding_mend(finding, "%s", doctor->key.hint);
    } else {
        finding_set(finding, FINDING_OK, "%s",
                    wanted ? "signed, with the right key"
                           : "requests need no signature");
    }
}

/* The agent's word; NULL where it has none or says nonsense. */
static struct json_object *capability(const struct doctor *doctor,
                                      const char *section, const char *name,
                                      enum json_type type)
{
    struct json_object *found = doctor->capabilities.envelope.data;

    if (!json_object_object_get_ex(found, section, &found)
        || !json_object_object_get_ex(found, name, &found)
        || !json_object_is_type(found, type))
        return NULL;
    return found;
}

/* "a, b, c", or what fits of it. */
static size_t list_words(struct json_object *list, char *text, size_t size)
{
    size_t n = list ? json_object_array_length(list) : 0;
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        const char *word = json_object_get_string(
            json_object_array_get_idx(list, i));

        if (!word)
            continue;
        if (used + strlen(word) + sizeof(", …") > size) {
            snprintf(text + used, size - used, ", …");
            break;
        }
        used += (size_t) snprintf(text + used, size - used, "%s%s",
                                  used ? ", " : "", word);
    }
    return n;
}

void check_abilities(struct doctor *doctor, struct finding *finding)
{
    char missing[400] = "";

    for (int id = 0; id < ABILITY_COUNT; id++) {
        size_t used = strlen(missing);

        if (!answer_is_able(&doctor->capabilities, id))
            snprintf(missing + used, sizeof(missing) - used, "%s%s (%s)",
                     used ? "; " : "", ability_get(id)->does,
                     ability_get(id)->name);
    }
    if (!*missing) {
        finding_set(finding, FINDING_OK, "all that this program asks for");
        return;
    }
    finding_set(finding, FINDING_WARN, "the agent cannot: %s", missing);
    finding_mend(
        finding,
        "update vsrpc-agent in the guest: here is version " PACKAGE_VERSION);
}

static const char *word(struct json_object *object, const char *name)
{
    struct json_object *found = NULL;

    json_object_object_get_ex(object, name, &found);
    return json_object_is_type(found, json_type_string)
               ? json_object_get_string(found)
               : "?";
}

/* Everything works on an old one, and something is worse. */
void check_kernel(struct doctor *doctor, struct finding *finding)
{
    struct json_object *release = capability(doctor, "kernel", "release",
                                             json_type_string);
    struct json_object *missing = capability(doctor, "kernel", "missing",
                                             json_type_array);
    size_t n = missing ? json_object_array_length(missing) : 0;

    if (!release || !missing) {
        finding_set(finding, FINDING_SKIPPED,
                    "an agent of this version does not tell");
        return;
    }
    finding_set(finding, FINDING_OK, "Linux %s%s",
                json_object_get_string(release),
                n ? "" : ", which has all that the agent can use");
    for (size_t i = 0; i < n; i++) {
        struct json_object *part = json_object_array_get_idx(missing, i);
        size_t used = strlen(finding->message);

        snprintf(finding->message + used, sizeof(finding->message) - used,
                 "; without %s (Linux %s) %s", word(part, "name"),
                 word(part, "since"), word(part, "without"));
    }
}

/* Any command, or one of the shells by name or by path? */
static bool has_shell(struct json_object *list)
{
    static const char *const shells[] = { "*", "sh", "bash", "dash", "ash" };
    size_t n = list ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const char *word = json_object_get_string(
            json_object_array_get_idx(list, i));
        const char *slash = word ? strrchr(word, '/') : NULL;

        for (size_t k = 0; word && k < sizeof(shells) / sizeof(*shells); k++)
            if (strcmp(slash ? slash + 1 : word, shells[k]) == 0)
                return true;
    }
    return false;
}

static struct json_object *rule_member(struct json_object *rule,
                                       const char *name, enum json_type type)
{
    struct json_object *found = NULL;

    json_object_object_get_ex(rule, name, &found);
    return json_object_is_type(found, type) ? found : NULL;
}

/* Adds the program of a rule: behind the title when it begins a group. */
static void rule_add(struct json_object *rule, bool first, const char *title,
                     const char *user, char *text, size_t size)
{
    const char *program = json_object_get_string(
        rule_member(rule, "program", json_type_string));
    size_t used = strlen(text);

    if (first)
        snprintf(text + used, size - used, "; %s%s: %s", title, user,
                 program ? program : "?");
    else
        snprintf(text + used, size - used, ", %s", program ? program : "?");
}

/* What binds commands besides their list: the users that they run as, and
 * which have to have certain arguments.  An older agent says nothing of it. */
static void rules_words(struct json_object *rules, char *text, size_t size)
{
    size_t n = rules ? json_object_array_length(rules) : 0;
    const char *last = NULL;
    bool first = true;

    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        struct json_object *rule = json_object_array_get_idx(rules, i);
        const char *user = json_object_get_string(
            rule_member(rule, "user", json_type_string));

        if (!user)
            continue;
        rule_add(rule, !last || strcmp(last, user) != 0, "as ",
                 *user ? user : "a user who is not there", text, size);
        last = user;
    }
    for (size_t i = 0; i < n; i++) {
        struct json_object *rule = json_object_array_get_idx(rules, i);

        if (!json_object_get_boolean(
                rule_member(rule, "restricted", json_type_boolean)))
            continue;
        rule_add(rule, first, "with certain arguments only", "", text, size);
        first = false;
    }
}

/* What is not one of our own routes. */
static void handlers_words(struct doctor *doctor, char *text, size_t size)
{
    struct json_object *list = NULL;
    struct json_object *others = json_object_new_array();
    size_t n_routes;
    const struct route *routes = route_table(&n_routes);

    json_object_object_get_ex(doctor->capabilities.envelope.data, "endpoints",
                              &list);
    if (!json_object_is_type(list, json_type_array))
        list = NULL;
    for (size_t i = 0; list && others && i < json_object_array_length(list);
         i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        const char *words = json_object_get_string(one);
        bool own = !words;
        char route[ROUTE_WORDS_MAX];

        for (size_t k = 0; !own && k < n_routes; k++)
            own = strcmp(words, route_words(&routes[k], route)) == 0;
        if (!own)
            json_append(others, json_object_get(one));
    }
    list_words(others, text, size);
    json_object_put(others);
}

static bool has_word(struct json_object *list, const char *name)
{
    size_t n = list ? json_object_array_length(list) : 0;

    for (size_t i = 0; i < n; i++) {
        const char *word = json_object_get_string(
            json_object_array_get_idx(list, i));
        const char *slash = word ? strrchr(word, '/') : NULL;

        if (word && strcmp(slash ? slash + 1 : word, name) == 0)
            return true;
    }
    return false;
}

/* What is neither a command nor a transfer.  An agent that does not tell of
 * set-id bits has services that nothing binds, and says nothing of that. */
static void besides(struct doctor *doctor, struct json_object *commands,
                    struct finding *finding)
{
    bool any = has_word(commands, "*");
    bool systemctl = has_word(commands, "systemctl");
    bool service = has_word(commands, "service");
    char variables[100];
    char handlers[200];
    size_t used = strlen(finding->message);

    if (!capability(doctor, "policy", "allow_setid", json_type_boolean))
        return;
    list_words(capability(doctor, "policy", "allowed_env", json_type_array),
               variables, sizeof(variables));
    handlers_words(doctor, handlers, sizeof(handlers));
    snprintf(finding->message + used, sizeof(finding->message) - used,
             "; services: %s%s%s%s; variables: %s%s%s%s%s",
             any                    ? "all"
             : systemctl || service ? "as "
                                    : "none",
             any || !systemctl ? "" : "systemctl",
             !any && systemctl && service ? " or " : "",
             any || !service ? "" : "service",
             any ? "all but the loader's" : "harmless ones",
             *variables ? ", " : "", variables,
             *handlers ? "; handlers: " : "", handlers);
}

#define GUEST_FILE "/etc/virtio-rpc/guest_config.yaml"

static void policy_hint(struct json_object *commands, struct finding *finding)
{
    if (!commands || json_object_array_length(commands) == 0) {
        finding->state = FINDING_WARN;
        finding_mend(finding, "no command is allowed: in the guest, "
                              "security.allowed_commands of " GUEST_FILE);
    } else if (!has_shell(commands)) {
        finding_mend(finding, "no shell is among them: no pipes and no "
                              "redirections; give one command, or allow more "
                              "in security.allowed_commands of " GUEST_FILE
                              " in the guest");
    }
}

void check_policy(struct doctor *doctor, struct finding *finding)
{
    struct json_object *commands = capability(
        doctor, "policy", "allowed_commands", json_type_array);
    char names[300];
    char rules[300];
    char paths[200];
    char readonly[200];
    char forbidden[200];
    size_t n = list_words(commands, names, sizeof(names));

    rules_words(capability(doctor, "policy", "command_rules", json_type_array),
                rules, sizeof(rules));
    list_words(capability(doctor, "policy", "allowed_paths", json_type_array),
               paths, sizeof(paths));
    list_words(capability(doctor, "policy", "readonly_paths", json_type_array),
               readonly, sizeof(readonly));
    list_words(
        capability(doctor, "policy", "forbidden_paths", json_type_array),
        forbidden, sizeof(forbidden));
    finding_set(
        finding, FINDING_OK,
        "commands: %s%s; transfers: reads below: %s%s%s; writes below: "
        "%s%s%s%s%s",
        n ? names : "none", rules, *paths || *readonly ? paths : "nothing",
        *paths && *readonly ? ", " : "", readonly, *paths ? paths : "nothing",
        *paths && *readonly ? ", except " : "", *paths ? readonly : "",
        *forbidden ? "; neither below: " : "", forbidden);
    besides(doctor, commands, finding);
    policy_hint(commands, finding);
}

static int64_t limit(const struct doctor *doctor, const char *name)
{
    struct json_object *value = capability(doctor, "limits", name,
                                           json_type_int);

    return value ? json_object_get_int64(value) : 0;
}

/* 0 is none, and is said so. */
static void limit_add(const struct doctor *doctor, const char *name,
                      const char *words, struct finding *finding)
{
    size_t used = strlen(finding->message);
    int64_t value = limit(doctor, name);

    if (value > 0)
        snprintf(finding->message + used, sizeof(finding->message) - used,
                 "%s%" PRId64 " %s", used ? ", " : "", value, words);
}

void check_limits(struct doctor *doctor, struct finding *finding)
{
    finding_set(finding, FINDING_OK, "%s", "");
    limit_add(doctor, "requests_per_second", "requests a second", finding);
    limit_add(doctor, "requests_per_minute", "a minute", finding);
    limit_add(doctor, "max_concurrent", "at the same time", finding);
    if (!*finding->message)
        finding_set(finding, FINDING_OK, "none on the rate of requests");
}
