/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/* What an answer's code means to the user, and what to do about it. */
#include <config.h>

#include "host/client/answer.h"

#include <errno.h>
#include <string.h>

#include "host/client/busy.h"
#include "proto/ability.h"
#include "proto/status.h"
#include "util/cleanup.h"

void answer_init(struct answer *answer)
{
    *answer = (struct answer) { 0 };
    rpc_reply_init(&answer->reply);
}

void answer_free(struct answer *answer)
{
    envelope_free(&answer->envelope);
    rpc_reply_free(&answer->reply);
    answer_init(answer);
}

int answer_unreadable(struct error *err)
{
    error_prefix(err, "the agent's answer makes no sense");
    if (err)
        err->code = -EBADMSG;
    return -EBADMSG;
}

static const struct {
    int code;
    const char *hint;
} hints[] = {
    { STATUS_AUTH_FAILED,
      "the key here and the guest's security.auth_key_file must be the same: "
      "compare sha256sum of both" },
    { STATUS_PERMISSION_DENIED,
      "in the guest: security.* in /etc/virtio-rpc/guest_config.yaml" },
    { STATUS_SERVICE_UNAVAILABLE, "again later" },
    { STATUS_REQUEST_GONE, "look in the guest what became of it" },
    { STATUS_CMD_TIMEOUT,
      "for a longer run: server.request_timeout in the guest's "
      "/etc/virtio-rpc/guest_config.yaml; of shell/exec \"timeout\" in its "
      "body" },
    { STATUS_INTERNAL_ERROR, "in the guest: journalctl -u virtio-rpc" },
};

/* What ran out of time may say which setting that was.  It is the guest's word
 * and stands where a key does. */
static void name_setting(const struct envelope *envelope, struct error *err)
{
    struct json_object *value = NULL;
    const char *key = NULL;

    if (json_object_object_get_ex(envelope->data, "setting", &value)
        && json_object_is_type(value, json_type_string))
        key = json_object_get_string(value);
    if (key && strspn(key, "abcdefghijklmnopqrstuvwxyz_.") == strlen(key))
        error_hint(err,
                   "for a longer run: %s in the guest's "
                   "/etc/virtio-rpc/guest_config.yaml",
                   key);
}

/* What the agent misses in a request are fields; what the user misses is a
 * key. */
static void no_key(const struct client *client, struct error *err)
{
    const char *file = client->setup.config->file;
    const char *domain = client->target->name;

    error_set(err, STATUS_AUTH_FAILED,
              "the agent wants signed requests, and no key is configured "
              "here");
    error_hint(err,
               "in %s: security.auth_key_file, or security.auth_key_dir with "
               "%s.key in it",
               file ? file : CONFIG_FILE,
               domain && !strchr(domain, '/') ? domain : "default");
}

static bool list_has(struct json_object *list, const char *word)
{
    size_t n = json_object_is_type(list, json_type_array)
                   ? json_object_array_length(list)
                   : 0;

    for (size_t i = 0; i < n; i++) {
        const char *item = json_object_get_string(
            json_object_array_get_idx(list, i));

        if (item && strcmp(item, word) == 0)
            return true;
    }
    return false;
}

/* An agent of before there were names for abilities lists its routes; it has
 * none that is no route. */
bool answer_is_able(const struct answer *capabilities, enum ability_id id)
{
    struct json_object *data = capabilities->envelope.data;
    struct json_object *list = NULL;
    const struct route *routes;
    bool able = false;
    size_t n;

    if (json_object_object_get_ex(data, "abilities", &list))
        return list_has(list, ability_get(id)->name);
    json_object_object_get_ex(data, "endpoints", &list);
    routes = route_table(&n);
    for (size_t i = 0; i < n; i++) {
        char words[ROUTE_WORDS_MAX];

        if (routes[i].ability != id)
            continue;
        able = list_has(list, route_words(&routes[i], words));
        if (!able)
            break;
    }
    return able;
}

/* An older agent, most likely: the guests of a fleet are upgraded one by one.
 */
int answer_unable(const struct client *client, int code, enum ability_id id,
                  const char *unknown, struct error *err)
{
    const struct ability *ability = ability_get(id);
    const char *version = client->rpc.peer.version;

    if (client->rpc.peer.plain) {
        error_set(err, code,
                  "the server in the guest cannot %s: it does not know '%s', "
                  "which the specification has",
                  ability->does, unknown);
        error_hint(err, "in the guest: vsrpc-agent instead of that server");
        return code;
    }
    error_set(err, code,
              "the agent (version %s) cannot %s: it does not know '%s'",
              *version ? version : "unknown", ability->does, unknown);
    error_hint(err,
               "update vsrpc-agent in the guest: here is version %s, and '%s' "
               "came with %s",
               PACKAGE_VERSION, ability->name, ability->since);
    return code;
}

int answer_error(const struct client *client, const struct answer *answer,
                 struct error *err)
{
    const struct envelope *envelope = &answer->envelope;
    char words[ROUTE_WORDS_MAX];
    const char *detail;
    /* A negative code would pass for an errno of ours. */
    int code = envelope->code < 0 ? STATUS_INTERNAL_ERROR : envelope->code;

    if (!envelope->root || code == STATUS_SUCCESS)
        return 0;
    detail = envelope_detail(envelope);
    if (strcmp(detail, envelope->message) == 0)
        error_set(err, code, "%s", detail);
    else
        error_set(err, code, "%s: %s", envelope->message, detail);
    for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
        if (hints[i].code == code)
            error_hint(err, "%s", hints[i].hint);
    if (code == STATUS_CMD_TIMEOUT)
        name_setting(envelope, err);
    busy_explain(client, answer, err);
    if (code == STATUS_PERMISSION_DENIED && client->setup.user)
        error_hint(err,
                   "in the guest: what '%s' may by mode and owner, or "
                   "security.* in /etc/virtio-rpc/guest_config.yaml",
                   client->setup.user);
    if (code == STATUS_AUTH_FAILED && !client->rpc.key)
        no_key(client, err);
    if (answer->unknown)
        answer_unable(client, code, answer->unknown->ability,
                      route_words(answer->unknown, words), err);
    if (client->target->name)
        client_blame(client, err);
    return code;
}
