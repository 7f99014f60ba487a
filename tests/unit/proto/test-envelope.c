/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/envelope.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "proto/jsonscan.h"
#include "proto/limits.h"
#include "proto/param.h"
#include "proto/status.h"
#include "unit/unit.h"

const char unit_name[] = "envelope";

static const struct {
    const char *name;
    const char *bytes;
    size_t n;
    bool valid;
} texts[] = {
    { "empty object", BYTES("{}"), true },
    { "blanks around", BYTES(" \t\r\n{ \"a\" : 1 }\n"), true },
    { "all kinds", BYTES("{\"a\":[1,-2.5e3,true,false,null,\"x\"]}"), true },
    { "UTF-8", BYTES("{\"a\":\"\xE4\xB8\xAD\xF0\x9F\x98\x80\"}"), true },
    { "escapes", BYTES("{\"a\":\"\\u00e9\\n\\/\\\\\\\"\\ud83d\\ude00\"}"),
      true },
    { "escaped NUL", BYTES("{\"a\":\"\\u0000\"}"), true },
    { "nothing", BYTES(""), false },
    { "blanks", BYTES("  "), false },
    { "cut", BYTES("{\"a\":"), false },
    { "cut string", BYTES("{\"a\":\"x"), false },
    { "trailing garbage", BYTES("{} x"), false },
    { "two values", BYTES("{}{}"), false },
    { "trailing comma", BYTES("{\"a\":1,}"), false },
    { "trailing comma in a list", BYTES("[1,]"), false },
    { "NUL behind", BYTES("{}\0"), false },
    { "NUL and more behind", BYTES("{}\0{}"), false },
    { "NUL inside", BYTES("{\"a\"\0:1}"), false },
    { "NUL in a string", BYTES("{\"a\":\"x\0y\"}"), false },
    { "NUL in a key", BYTES("{\"a\0\":1}"), false },
    { "comment", BYTES("{/* c */}"), false },
    { "single quotes", BYTES("{'a':1}"), false },
    { "bare key", BYTES("{a:1}"), false },
    { "TRUE", BYTES("{\"a\":TRUE}"), false },
    { "NaN", BYTES("{\"a\":NaN}"), false },
    { "Infinity", BYTES("{\"a\":Infinity}"), false },
    { "-Infinity", BYTES("{\"a\":-Infinity}"), false },
    { "leading zero", BYTES("{\"a\":01}"), false },
    { "plus", BYTES("{\"a\":+1}"), false },
    { "hex", BYTES("{\"a\":0x1}"), false },
    { "lonely minus", BYTES("{\"a\":-}"), false },
    { "byte order mark", BYTES("\xEF\xBB\xBF{}"), false },
    { "not UTF-8", BYTES("{\"a\":\"\xE9\"}"), false },
    { "overlong", BYTES("{\"a\":\"\xC0\xAF\"}"), false },
    { "surrogate bytes", BYTES("{\"a\":\"\xED\xA0\x80\"}"), false },
    { "beyond Unicode", BYTES("{\"a\":\"\xF4\x90\x80\x80\"}"), false },
    { "not UTF-8 in a key", BYTES("{\"\xFF\":1}"), false },
    { "raw line feed in a string", BYTES("{\"a\":\"x\ny\"}"), false },
    { "raw escape in a string", BYTES("{\"a\":\"\x1B\"}"), false },
    { "bad escape", BYTES("{\"a\":\"\\x41\"}"), false },
    { "short \\u", BYTES("{\"a\":\"\\u12\"}"), false },
    /* What json-c 0.18 has its own mind about, with and without strict mode. */
    { "UTF-8 in a name", BYTES("{\"\xC3\xB1\":\"\xE2\x80\xA6\"}"), true },
    { "a number alone", BYTES("42"), true },
    { "a number and a blank", BYTES("-0.5E+1 "), true },
    { "a string alone", BYTES("\"x\""), true },
    { "null alone", BYTES("null"), true },
    { "DEL in a string", BYTES("[\"\x7F\"]"), true },
    { "no digit behind the point", BYTES("[1.]"), false },
    { "no digit before the point", BYTES("[.5]"), false },
    { "no exponent", BYTES("[1e]"), false },
    { "no exponent but its sign", BYTES("[1e-]"), false },
    { "two words", BYTES("[true false]"), false },
    { "a longer word", BYTES("[nullx]"), false },
    { "two commas", BYTES("[1,,2]"), false },
    { "a comma first", BYTES("[,1]"), false },
    { "the other bracket", BYTES("[1}"), false },
    { "name without value", BYTES("{\"a\"}"), false },
    { "two colons", BYTES("{\"a\"::1}"), false },
    { "a number for a name", BYTES("{1:1}"), false },
    { "vertical tab", BYTES("{\v}"), false },
    { "upper-case hex", BYTES("[\"\\uD83D\\uDE00\"]"), true },
    { "high surrogate alone", BYTES("[\"\\ud83d\"]"), false },
    { "high surrogate and a letter", BYTES("[\"\\ud83dx\"]"), false },
    { "two high surrogates", BYTES("[\"\\ud83d\\ud83d\"]"), false },
    { "low surrogate alone", BYTES("[\"\\ude00\"]"), false },
    { "NUL escaped in a name", BYTES("{\"command\\u0000x\":1}"), false },
};

START_TEST(json)
{
    struct guarded copy = guarded_copy(texts[_i].bytes, texts[_i].n);
    AUTO_JSON struct json_object *object = NULL;
    struct error err = ERROR_INIT;
    int r = json_parse((char *) copy.bytes, texts[_i].n, &object, &err);

    ck_assert_msg(r == (texts[_i].valid ? 0 : -EBADMSG), "%s: %d %s",
                  texts[_i].name, r, err.message);
    ck_assert_msg(r == 0 || err.message[0], "%s: no words", texts[_i].name);
    guarded_free(&copy);
}
END_TEST

/* No beginning of a text is one, and nothing is read behind it. */
START_TEST(json_cut)
{
    const char *text = texts[_i].bytes;
    bool cuttable = texts[_i].valid && strchr("{[\"", text[0]);
    size_t n = cuttable ? texts[_i].n : 0;

    for (size_t cut = 0; cut < n; cut++) {
        struct guarded copy = guarded_copy(text, cut);

        ck_assert_msg(json_scan((char *) copy.bytes, cut, NULL, NULL)
                          == -EBADMSG,
                      "%s: %zu bytes", texts[_i].name, cut);
        guarded_free(&copy);
    }
}
END_TEST

/* xorshift: the same texts every time. */
static unsigned next_random(unsigned *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/*
 * What the scanner has passed, json-c takes, and what json-c makes of it the
 * scanner passes again: two readers who differ are how a request gets past a
 * check.  Texts are put together of pieces that nearly fit.
 */
START_TEST(scanner_and_library_agree)
{
    static const char *const pieces[] = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"\\u00e9\"",
        "\"\xC3\xB1\"",
        "1",
        "-",
        "0",
        ".5",
        "e3",
        "true",
        "null",
        " ",
        "{\"a\":",
        "[1,",
        "\"",
        "\\",
        "\\ud83d\\ude00",
        "\x7F",
        "}]",
        "[]",
        "{}",
        "NaN",
        "'",
        "/**/",
    };
    unsigned state = 20261129;
    int passed = 0;

    for (int i = 0; i < 300000; i++) {
        char text[64] = "";
        unsigned n = 1 + next_random(&state) % 6;
        AUTO_JSON struct json_object *object = NULL;
        const char *again;

        while (n--)
            strcat(text, pieces[next_random(&state) % ARRAY_SIZE(pieces)]);
        if (json_scan(text, strlen(text), NULL, NULL) < 0)
            continue;
        passed++;
        ck_assert_msg(json_parse(text, strlen(text), &object, NULL) == 0,
                      "json-c refuses %s", text);
        again = json_object_to_json_string(object);
        ck_assert_msg(json_scan(again, strlen(again), NULL, NULL) == 0,
                      "%s became %s", text, again);
    }
    ck_assert_int_gt(passed, 1000);
}
END_TEST

/* A container with n times the same in it. */
static int parse_many(const char *open, const char *item, size_t n,
                      const char *close)
{
    AUTO_JSON struct json_object *object = NULL;
    struct error err = ERROR_INIT;
    struct buf text;
    int r;

    buf_init(&text, 16 << 20);
    buf_puts(&text, open);
    for (size_t i = 0; i < n; i++) {
        buf_puts(&text, i ? "," : "");
        buf_puts(&text, item);
    }
    buf_puts(&text, close);
    r = json_parse(buf_cstr(&text), text.len, &object, &err);
    ck_assert(r == 0 || strstr(err.message, "more than"));
    buf_free(&text);
    return r;
}

/* Nine megabytes of {} would be 2.5 GB: the text is refused before. */
START_TEST(bounds_what_is_built)
{
    ck_assert_int_eq(parse_many("[", "{}", JSON_CONTAINERS_MAX - 1, "]"), 0);
    ck_assert_int_eq(parse_many("[", "{}", JSON_CONTAINERS_MAX, "]"), -E2BIG);
    ck_assert_int_eq(parse_many("[", "[]", JSON_CONTAINERS_MAX, "]"), -E2BIG);
    ck_assert_int_eq(parse_many("[", "{}", 3000000, "]"), -E2BIG);
    ck_assert_int_eq(parse_many("[", "1", JSON_VALUES_MAX - 1, "]"), 0);
    ck_assert_int_eq(parse_many("[", "1", JSON_VALUES_MAX, "]"), -E2BIG);
    ck_assert_int_eq(parse_many("{", "\"a\":1", JSON_VALUES_MAX / 2 - 1, "}"),
                     0);
    ck_assert_int_eq(parse_many("{", "\"a\":1", JSON_VALUES_MAX / 2, "}"),
                     -E2BIG);
}
END_TEST

/* depth nested arrays, with a value in the last. */
static int parse_deep(size_t depth)
{
    AUTO_JSON struct json_object *object = NULL;
    struct buf text;
    int r;

    buf_init(&text, 1 << 22);
    for (size_t i = 0; i < depth; i++)
        buf_puts(&text, "[");
    buf_puts(&text, "1");
    for (size_t i = 0; i < depth; i++)
        buf_puts(&text, "]");
    r = json_parse(buf_cstr(&text), text.len, &object, NULL);
    buf_free(&text);
    return r;
}

START_TEST(nesting)
{
    ck_assert_int_eq(parse_deep(JSON_DEPTH_MAX), 0);
    ck_assert_int_eq(parse_deep(JSON_DEPTH_MAX + 1), -EBADMSG);
    ck_assert_int_eq(parse_deep(1000000), -EBADMSG);
}
END_TEST

/* What lacks a member for want of memory is no success. */
START_TEST(refuses_what_lacks_something)
{
    AUTO_JSON struct json_object *data = json_object_new_object();
    struct json_object *list = json_object_new_array();
    struct buf out;

    buf_init(&out, 4096);
    ck_assert(json_whole(data));
    ck_assert(!json_whole(NULL));
    ck_assert_int_eq(json_add_int(NULL, "x", 1), -ENOMEM);
    ck_assert_int_eq(json_add_string(NULL, "x", NULL), -ENOMEM);
    ck_assert_int_eq(json_append(list, json_object_new_int64(1)), 0);
    ck_assert(json_whole(list));
    ck_assert_int_eq(json_append(list, NULL), -ENOMEM);
    ck_assert_int_eq(json_append(list, json_object_new_int64(2)), 0);
    ck_assert(!json_whole(list));
    ck_assert_int_eq(json_add(data, "list", list), -ENOMEM);
    ck_assert(!json_whole(data));
    ck_assert_int_eq(envelope_write(&out, 0, "success", data, 0), -ENOMEM);
    buf_free(&out);
}
END_TEST

START_TEST(writes)
{
    AUTO_JSON struct json_object *data = json_object_new_object();
    struct buf out;

    buf_init(&out, 4096);
    ck_assert_int_eq(json_add_string(data, "path", "/a\n\x1B[m\xFF"), 0);
    ck_assert_int_eq(json_add_string(data, "none", NULL), 0);
    ck_assert_int_eq(json_add_bool(data, "yes", true), 0);
    ck_assert_int_eq(envelope_write(&out, 0, "success", data, 1703654400), 0);
    ck_assert_str_eq(buf_cstr(&out),
                     "{\"version\":\"1.0\",\"code\":0,"
                     "\"message\":\"success\",\"data\":{"
                     "\"path\":\"/a\\n\\u001b[m?\",\"none\":null,"
                     "\"yes\":true},\"timestamp\":1703654400}");
    buf_clear(&out);
    ck_assert_int_eq(envelope_write(&out, 5001, "x", NULL, 0), 0);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&out), "\"data\":{}"));
    buf_free(&out);
    buf_init(&out, 10);
    ck_assert_int_eq(envelope_write(&out, 0, "x", NULL, 0), -EMSGSIZE);
    buf_free(&out);
}
END_TEST

/* Any bytes survive the way into JSON and back. */
START_TEST(bytes_survive)
{
    AUTO_JSON struct json_object *data = json_object_new_object();
    struct envelope envelope;
    struct buf out;
    const char *value;
    size_t n;

    buf_init(&out, 4096);
    json_add_bytes(data, "text", BYTES("a\0b\xC3\xA9"));
    json_add_bytes(data, "empty", NULL, 0);
    json_add_bytes(data, "stdout", BYTES("\xFF\0x"));
    ck_assert_int_eq(envelope_write(&out, 0, "m", data, 1), 0);
    ck_assert_int_eq(envelope_parse(buf_cstr(&out), out.len, &envelope, NULL),
                     0);
    ck_assert_int_eq(
        param_bytes(envelope.data, "text", PARAM_REQUIRED, &value, &n, NULL),
        0);
    ck_assert_uint_eq(n, 5);
    ck_assert_mem_eq(value, "a\0b\xC3\xA9", 5);
    ck_assert(!json_object_object_get_ex(data, "text_encoding", NULL));
    ck_assert_int_eq(
        param_string(envelope.data, "stdout", PARAM_REQUIRED, &value, NULL),
        0);
    ck_assert_str_eq(value, "/wB4");
    ck_assert_int_eq(param_string(envelope.data, "stdout_encoding",
                                  PARAM_REQUIRED, &value, NULL),
                     0);
    ck_assert_str_eq(value, "base64");
    ck_assert_int_eq(
        param_string(envelope.data, "empty", PARAM_REQUIRED, &value, NULL), 0);
    ck_assert_str_eq(value, "");
    envelope_free(&envelope);
    ck_assert_ptr_null(envelope.root);
    buf_free(&out);
}
END_TEST

/* What a hostile guest may send for an envelope. */
static const char *const no_envelopes[] = {
    "null",
    "[]",
    "7",
    "\"x\"",
    "{}",
    "{\"code\":0}",
    "{\"message\":\"x\"}",
    "{\"code\":\"0\",\"message\":\"x\"}",
    "{\"code\":0.5,\"message\":\"x\"}",
    "{\"code\":null,\"message\":\"x\"}",
    "{\"code\":true,\"message\":\"x\"}",
    "{\"code\":0,\"message\":null}",
    "{\"code\":0,\"message\":[\"x\"]}",
    "{\"code\":4294967296,\"message\":\"x\"}",
    "{\"code\":-1,\"message\":\"x\"}",
    "not JSON",
    "{\"code\":0,",
};

START_TEST(hostile_envelopes)
{
    struct error err = ERROR_INIT;
    struct envelope envelope;

    ck_assert_msg(envelope_parse(no_envelopes[_i], strlen(no_envelopes[_i]),
                                 &envelope, &err)
                      == -EBADMSG,
                  "%s", no_envelopes[_i]);
    ck_assert_ptr_null(envelope.root);
    ck_assert(err.message[0] != '\0');
    envelope_free(&envelope);
}
END_TEST

START_TEST(details)
{
    static const struct {
        const char *text, *detail;
    } rows[] = {
        { "{\"code\":1,\"message\":\"m\",\"data\":{\"detail\":\"d\"}}", "d" },
        { "{\"code\":1,\"message\":\"m\",\"data\":{\"detail\":5}}", "m" },
        { "{\"code\":1,\"message\":\"m\",\"data\":{}}", "m" },
        { "{\"code\":1,\"message\":\"m\",\"data\":[]}", "m" },
        { "{\"code\":1,\"message\":\"m\",\"data\":null}", "m" },
        { "{\"code\":1,\"message\":\"m\"}", "m" },
    };
    struct envelope envelope;

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ck_assert_int_eq(envelope_parse(rows[i].text, strlen(rows[i].text),
                                        &envelope, NULL),
                         0);
        ck_assert_str_eq(envelope_detail(&envelope), rows[i].detail);
        envelope_free(&envelope);
    }
}
END_TEST

/* Both forms of a request; the parameters "timeout", or -1, and "action" that
 * come out. */
static const struct {
    const char *text;
    int result;
    int64_t timeout;
    const char *action;
} requests[] = {
    { "{\"command\":\"ls\"}", 0, -1, NULL },
    { "{\"command\":\"ls\",\"timeout\":5}", 0, 5, NULL },
    { "{\"version\":\"1.0\",\"action\":\"exec\","
      "\"params\":{\"command\":\"ls\"},\"timeout\":30}",
      0, 30, "exec" },
    { "{\"params\":{\"command\":\"ls\",\"timeout\":7},\"timeout\":30}", 0, 7,
      NULL },
    { "{\"params\":{\"command\":\"ls\"}}", 0, -1, NULL },
    { "{\"params\":{}}", 0, -1, NULL },
    { "{\"params\":{\"timeout\":null},\"timeout\":30}", 0, 30, NULL },
    /* the outer action is a parameter, unless there is one already */
    { "{\"name\":\"x\",\"action\":\"stop\"}", 0, -1, "stop" },
    { "{\"action\":\"start\",\"params\":{\"name\":\"x\"}}", 0, -1, "start" },
    { "{\"action\":\"service\",\"params\":{\"action\":\"stop\"}}", 0, -1,
      "stop" },
    { "{\"action\":\"start\",\"params\":{\"action\":null}}", 0, -1, "start" },
    { "{\"action\":null,\"params\":{\"action\":\"stop\"}}", 0, -1, "stop" },
    { "{\"action\":null,\"params\":{}}", 0, -1, NULL },
    /* the version of the wrapped form */
    { "{\"version\":\"1\",\"params\":{}}", 0, -1, NULL },
    { "{\"version\":\"1.0\",\"params\":{}}", 0, -1, NULL },
    { "{\"version\":\"1.7\",\"params\":{}}", 0, -1, NULL },
    { "{\"version\":\"1.10\",\"params\":{}}", 0, -1, NULL },
    { "{\"version\":null,\"params\":{}}", 0, -1, NULL },
    { "{\"version\":\"2.0\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"2\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"0.9\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"10\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"11.0\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"1.\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"1.x\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"1.0.1\",\"params\":{}}", STATUS_INVALID_PARAMS, 0,
      NULL },
    { "{\"version\":\"1.0 \",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"v1.0\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"\",\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":\"1.0\\u0000\",\"params\":{}}", STATUS_INVALID_PARAMS, 0,
      NULL },
    { "{\"version\":1.0,\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"version\":{},\"params\":{}}", STATUS_INVALID_PARAMS, 0, NULL },
    /* in the flat form it is a name that nobody knows */
    { "{\"version\":\"2.0\",\"command\":\"ls\"}", 0, -1, NULL },
    { "{\"params\":[]}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"params\":null}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"params\":\"x\"}", STATUS_INVALID_PARAMS, 0, NULL },
    { "[]", STATUS_INVALID_PARAMS, 0, NULL },
    { " null ", STATUS_INVALID_PARAMS, 0, NULL },
    { "\"x\"", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"a\":1,\"b\":1,\"a\":1}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"a\":1,\"\\u0061\":1}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"params\":{\"a\":1,\"a\":2}}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"a\":[{\"b\":{\"c\":1,\"c\":1}}]}", STATUS_INVALID_PARAMS, 0, NULL },
    { "{\"a\":[{\"a\":1},{\"a\":null}],\"timeout\":2}", 0, 2, NULL },
    { "{", STATUS_JSON_PARSE_ERROR, 0, NULL },
    { "", STATUS_JSON_PARSE_ERROR, 0, NULL },
    { "{\"a\":\"\xFF\"}", STATUS_JSON_PARSE_ERROR, 0, NULL },
};

START_TEST(request)
{
    AUTO_JSON struct json_object *params = NULL;
    struct error err = ERROR_INIT;
    int64_t timeout = -1;
    const char *action = NULL;
    int r = request_parse(requests[_i].text, strlen(requests[_i].text),
                          &params, &err);

    ck_assert_msg(r == requests[_i].result, "%s: %d", requests[_i].text, r);
    if (r) {
        ck_assert(err.message[0] != '\0');
        return;
    }
    ck_assert_int_eq(
        param_int(params, "timeout", PARAM_OPTIONAL, 0, 99, &timeout, &err),
        0);
    ck_assert_int_eq(timeout, requests[_i].timeout);
    ck_assert_int_eq(
        param_string(params, "action", PARAM_OPTIONAL, &action, &err), 0);
    ck_assert_pstr_eq(action, requests[_i].action);
}
END_TEST

/* What is refused says what is spoken here. */
START_TEST(version_is_named)
{
    static const char text[] = "{\"version\":\"2.0\",\"params\":{}}";
    struct json_object *params = NULL;
    struct error err = ERROR_INIT;

    ck_assert_int_eq(request_parse(text, sizeof(text) - 1, &params, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert_str_eq(err.message, "'version' is not 1.x, which this agent "
                                  "speaks: '2.0'");
}
END_TEST

static const char members[] =
    "{\"s\":\"text\",\"nul\":\"a\\u0000b\",\"i\":5,\"neg\":-5,\"d\":1.5,"
    "\"whole\":5.0,\"big\":99999999999999999999,\"t\":true,\"n\":null,"
    "\"list\":[\"a\",\"b\"],\"bad1\":[\"a\",5],\"bad2\":[\"a\\u0000\"],"
    "\"empty\":[],\"env\":{\"A\":\"1\",\"B\":\"x=y\"},\"e1\":{\"A\":1},"
    "\"e2\":{\"A=\":\"1\"},\"e3\":{\"\":\"1\"},\"e4\":{\"A\":\"\\u0000\"},"
    "\"ms\":1.001,\"tiny\":1e-9,\"max\":9223372036854775807,"
    "\"big1\":9223372036854775808,\"word\":\"two\",\"Word\":\"Two\","
    "\"w_encoding\":\"base64\",\"v_encoding\":\"BASE64\","
    "\"huge\":1e300,\"numeric\":\"5\"}";

static struct json_object *members_parse(void)
{
    struct json_object *object = NULL;

    ck_assert_int_eq(json_parse(members, sizeof(members) - 1, &object, NULL),
                     0);
    return object;
}

START_TEST(strings_are_strict)
{
    AUTO_JSON struct json_object *p = members_parse();
    struct error err = ERROR_INIT;
    const char *value = "kept";
    size_t n;

    ck_assert_int_eq(param_string(p, "none", PARAM_OPTIONAL, &value, &err), 0);
    ck_assert_int_eq(param_string(p, "n", PARAM_OPTIONAL, &value, &err), 0);
    ck_assert_str_eq(value, "kept");
    ck_assert_int_eq(param_string(p, "none", PARAM_REQUIRED, &value, &err),
                     STATUS_MISSING_REQUIRED);
    ck_assert_str_eq(err.message, "'none' is missing");
    ck_assert_int_eq(param_string(p, "n", PARAM_REQUIRED, &value, &err),
                     STATUS_MISSING_REQUIRED);
    ck_assert_int_eq(param_string(NULL, "s", PARAM_REQUIRED, &value, &err),
                     STATUS_MISSING_REQUIRED);
    ck_assert_int_eq(param_string(p, "i", PARAM_OPTIONAL, &value, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert_str_eq(err.message, "'i' is not a string: '5'");
    ck_assert_int_eq(param_string(p, "nul", PARAM_OPTIONAL, &value, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert_str_eq(value, "kept");
    ck_assert_int_eq(param_string(p, "s", PARAM_REQUIRED, &value, &err), 0);
    ck_assert_str_eq(value, "text");
    ck_assert_int_eq(param_bytes(p, "nul", PARAM_REQUIRED, &value, &n, &err),
                     0);
    ck_assert_uint_eq(n, 3);
    ck_assert_mem_eq(value, "a\0b", 3);
}
END_TEST

static const struct {
    const char *name;
    int64_t min, max;
    int result;
    int64_t value;
} ints[] = {
    { "i", 5, 5, 0, 5 },
    { "i", 0, 4, STATUS_INVALID_PARAMS, 0 },
    { "i", 6, 9, STATUS_INVALID_PARAMS, 0 },
    { "neg", -5, 0, 0, -5 },
    { "neg", 0, 9, STATUS_INVALID_PARAMS, 0 },
    { "d", 0, 9, STATUS_INVALID_PARAMS, 0 },
    { "whole", 0, 9, STATUS_INVALID_PARAMS, 0 },
    { "big", 0, INT64_MAX - 1, STATUS_INVALID_PARAMS, 0 },
    { "big", 0, INT64_MAX, STATUS_INVALID_PARAMS, 0 },
    { "big1", 0, INT64_MAX, STATUS_INVALID_PARAMS, 0 },
    { "max", 0, INT64_MAX, 0, INT64_MAX },
    { "t", 0, 9, STATUS_INVALID_PARAMS, 0 },
    { "numeric", 0, 9, STATUS_INVALID_PARAMS, 0 },
    { "list", 0, 9, STATUS_INVALID_PARAMS, 0 },
    { "none", 0, 9, STATUS_MISSING_REQUIRED, 0 },
};

START_TEST(ints_are_strict)
{
    AUTO_JSON struct json_object *p = members_parse();
    int64_t value = 42;
    int r = param_int(p, ints[_i].name, PARAM_REQUIRED, ints[_i].min,
                      ints[_i].max, &value, NULL);

    ck_assert_msg(r == ints[_i].result, "%s: %d", ints[_i].name, r);
    ck_assert_int_eq(value, r ? 42 : ints[_i].value);
}
END_TEST

static const struct {
    const char *name;
    int result;
    int64_t ms;
} seconds[] = {
    { "i", 0, 5000 },
    { "d", 0, 1500 },
    { "ms", 0, 1001 },
    { "tiny", 0, 1 },
    { "neg", STATUS_INVALID_PARAMS, 0 },
    { "huge", STATUS_INVALID_PARAMS, 0 },
    { "big", STATUS_INVALID_PARAMS, 0 },
    { "numeric", STATUS_INVALID_PARAMS, 0 },
    { "t", STATUS_INVALID_PARAMS, 0 },
    { "n", STATUS_MISSING_REQUIRED, 0 },
};

START_TEST(seconds_are_strict)
{
    AUTO_JSON struct json_object *p = members_parse();
    int64_t value = 42;
    int r = param_seconds(p, seconds[_i].name, PARAM_REQUIRED, 0, 86400000,
                          &value, NULL);

    ck_assert_msg(r == seconds[_i].result, "%s: %d", seconds[_i].name, r);
    ck_assert_int_eq(value, r ? 42 : seconds[_i].ms);
}
END_TEST

START_TEST(bools_are_strict)
{
    AUTO_JSON struct json_object *p = members_parse();
    bool value = false;

    ck_assert_int_eq(param_bool(p, "t", PARAM_REQUIRED, &value, NULL), 0);
    ck_assert(value);
    ck_assert_int_eq(param_bool(p, "i", PARAM_OPTIONAL, &value, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(param_bool(p, "s", PARAM_OPTIONAL, &value, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert(value);
}
END_TEST

START_TEST(words_are_strict)
{
    static const char *const words[] = { "one", "two", NULL };
    AUTO_JSON struct json_object *p = members_parse();
    struct error err = ERROR_INIT;
    bool encoded = true;
    int value = -1;

    ck_assert_int_eq(
        param_word(p, "none", PARAM_OPTIONAL, words, &value, &err), 0);
    ck_assert_int_eq(value, -1);
    ck_assert_int_eq(
        param_word(p, "word", PARAM_REQUIRED, words, &value, &err), 0);
    ck_assert_int_eq(value, 1);
    ck_assert_int_eq(
        param_word(p, "Word", PARAM_REQUIRED, words, &value, &err),
        STATUS_INVALID_PARAMS);
    ck_assert_str_eq(err.message, "'Word' is not one or two: 'Two'");
    ck_assert_int_eq(param_encoded(p, "x", &encoded, &err), 0);
    ck_assert(!encoded);
    ck_assert_int_eq(param_encoded(p, "w", &encoded, &err), 0);
    ck_assert(encoded);
    ck_assert_int_eq(param_encoded(p, "v", &encoded, &err),
                     STATUS_INVALID_PARAMS);
    ck_assert(!encoded);
}
END_TEST

/* What is shown of a value is short, whole characters, and nobody's
 * environment. */
START_TEST(refusals_are_short)
{
    AUTO_JSON struct json_object *p = members_parse();
    struct error err = ERROR_INIT;
    bool value;

    for (size_t n = 0; n < 3; n++) {
        char text[100];

        for (size_t i = 0; i < sizeof(text) - 1; i++)
            text[i] = i < n ? 'x' : "\xE4\xB8\xAD"[(i - n) % 3];
        text[n + 90] = '\0';
        param_wrong("a", "b", text, &err);
        ck_assert_uint_lt(strlen(err.message), 90);
        ck_assert(utf8_valid(err.message, strlen(err.message)));
        ck_assert_ptr_nonnull(strstr(err.message, "...'"));
    }
    param_bool(p, "env", PARAM_REQUIRED, &value, &err);
    ck_assert_str_eq(err.message, "'env' is not true or false");
}
END_TEST

START_TEST(lists_are_strict)
{
    AUTO_JSON struct json_object *p = members_parse();
    struct strlist list = { 0 };

    ck_assert_int_eq(param_strings(p, "list", PARAM_REQUIRED, &list, NULL), 0);
    ck_assert_uint_eq(list.n, 2);
    ck_assert_str_eq(list.items[1], "b");
    ck_assert_int_eq(param_strings(p, "empty", PARAM_REQUIRED, &list, NULL),
                     0);
    ck_assert_uint_eq(list.n, 2);
    ck_assert_int_eq(param_strings(p, "bad1", PARAM_REQUIRED, &list, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(param_strings(p, "bad2", PARAM_REQUIRED, &list, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(param_strings(p, "s", PARAM_REQUIRED, &list, NULL),
                     STATUS_INVALID_PARAMS);
    ck_assert_int_eq(param_strings(p, "env", PARAM_REQUIRED, &list, NULL),
                     STATUS_INVALID_PARAMS);
    strlist_free(&list);
}
END_TEST

START_TEST(environments_are_strict)
{
    static const char *const wrong[] = { "e1", "e2", "e3", "e4", "list", "s" };
    AUTO_JSON struct json_object *p = members_parse();
    struct strlist list = { 0 };

    ck_assert_int_eq(param_env(p, "env", PARAM_REQUIRED, &list, NULL), 0);
    ck_assert_uint_eq(list.n, 2);
    ck_assert_str_eq(list.items[0], "A=1");
    ck_assert_str_eq(list.items[1], "B=x=y");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
        ck_assert_msg(param_env(p, wrong[i], PARAM_OPTIONAL, &list, NULL)
                          == STATUS_INVALID_PARAMS,
                      "%s", wrong[i]);
    strlist_free(&list);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, json, 0, ARRAY_SIZE(texts));
    tcase_add_loop_test(tcase, json_cut, 0, ARRAY_SIZE(texts));
    tcase_add_test(tcase, scanner_and_library_agree);
    tcase_add_test(tcase, bounds_what_is_built);
    tcase_add_test(tcase, nesting);
    tcase_add_test(tcase, writes);
    tcase_add_test(tcase, refuses_what_lacks_something);
    tcase_add_test(tcase, bytes_survive);
    tcase_add_loop_test(tcase, hostile_envelopes, 0, ARRAY_SIZE(no_envelopes));
    tcase_add_test(tcase, details);
    tcase_add_loop_test(tcase, request, 0, ARRAY_SIZE(requests));
    tcase_add_test(tcase, version_is_named);
    tcase_add_test(tcase, strings_are_strict);
    tcase_add_loop_test(tcase, ints_are_strict, 0, ARRAY_SIZE(ints));
    tcase_add_loop_test(tcase, seconds_are_strict, 0, ARRAY_SIZE(seconds));
    tcase_add_test(tcase, bools_are_strict);
    tcase_add_test(tcase, words_are_strict);
    tcase_add_test(tcase, refusals_are_short);
    tcase_add_test(tcase, lists_are_strict);
    tcase_add_test(tcase, environments_are_strict);
}
