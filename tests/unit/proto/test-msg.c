/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
#include <config.h>

#include "proto/msg.h"

#include <stdlib.h>
#include <string.h>

#include "unit/unit.h"
#include "unit/wire.h"

const char unit_name[] = "msg";

#define HOST "Host: virtio-rpc\r\n"
#define GET "GET / HTTP/1.1\r\n" HOST
#define POST "POST /x HTTP/1.1\r\n" HOST
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

/* A request and a response. */
#define Q(name, bytes, transcript)                   \
    {                                                \
        name, HTTP_REQUEST, BYTES(bytes), transcript \
    }
#define A(name, bytes, transcript)                    \
    {                                                 \
        name, HTTP_RESPONSE, BYTES(bytes), transcript \
    }

#define HEAD_GET "HEAD GET / fields=1\n"
#define PAIR "FAULT 400 CR and LF only come as a pair\n"
#define NAME "FAULT 400 malformed header name\n"
#define LINE "FAULT 400 malformed request line\n"
#define TARGET "FAULT 400 malformed request target\n"
#define VALUE "FAULT 400 control character in a header value\n"
#define LENGTH "FAULT 400 Content-Length is not a number\n"
#define NOHOST "FAULT 400 exactly one Host field is required\n"
#define CHUNK "FAULT 400 malformed chunk size\n"
#define HEAD_CHUNKED "HEAD POST /x chunked fields=2\n"

static const struct wire_case good[] = {
    Q("smallest", GET "\r\n", HEAD_GET "END\n"),
    Q("sized body", POST "Content-Length: 5\r\n\r\nhello",
      "HEAD POST /x len=5 fields=2\nBODY hello\nEND\n"),
    Q("empty body", POST "Content-Length: 0\r\n\r\n",
      "HEAD POST /x len=0 fields=2\nEND\n"),
    Q("leading zeros", POST "Content-Length: 005\r\n\r\nhello",
      "HEAD POST /x len=5 fields=2\nBODY hello\nEND\n"),
    Q("names in any case", POST "cOnTeNt-LeNgTh:2\r\n\r\nab",
      "HEAD POST /x len=2 fields=2\nBODY ab\nEND\n"),
    Q("two in a row", GET "\r\n" POST "Content-Length: 1\r\n\r\nZ" GET "\r\n",
      HEAD_GET "END\nHEAD POST /x len=1 fields=2\nBODY Z\nEND\n" HEAD_GET
               "END\n"),
    Q("absolute form", "GET http://virtio-rpc/a?b HTTP/1.1\r\n" HOST "\r\n",
      "HEAD GET /a?b fields=1\nEND\n"),
    Q("absolute form, any case", "GET HTTP://h:80/ HTTP/1.1\r\n" HOST "\r\n",
      "HEAD GET / fields=1\nEND\n"),
    Q("unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n",
      "HEAD BREW / fields=1\nEND\n"),
    Q("value with tab and UTF-8", GET "X: a\tb\xC3\xA9\r\n\r\n",
      "HEAD GET / fields=2\nEND\n"),
    Q("empty value", GET "X:\r\nY: \t \r\n\r\n", "HEAD GET / fields=3\nEND\n"),
    Q("colon in a value", GET "X: a:b: c\r\n\r\n",
      "HEAD GET / fields=2\nEND\n"),
    Q("expect", POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na",
      "HEAD POST /x len=1 continue fields=3\nBODY a\nEND\n"),
    Q("chunked", POST CHUNKED "\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
      HEAD_CHUNKED "BODY hello!\nEND\n"),
    Q("chunked, nothing", POST CHUNKED "\r\n0\r\n\r\n", HEAD_CHUNKED "END\n"),
    Q("chunk sizes in hex",
      POST CHUNKED "\r\nA\r\n0123456789\r\n"
                   "00b\r\nabcdefghijk\r\n0\r\n\r\n",
      HEAD_CHUNKED "BODY 0123456789abcdefghijk\nEND\n"),
    Q("chunk extension", POST CHUNKED "\r\n1;a=\"b\"\r\nx\r\n0;z\r\n\r\n",
      HEAD_CHUNKED "BODY x\nEND\n"),
    Q("trailers",
      POST CHUNKED "\r\n1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n" GET "\r\n",
      HEAD_CHUNKED "BODY x\nEND\n" HEAD_GET "END\n"),
    Q("CRLF inside a chunk", POST CHUNKED "\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n",
      HEAD_CHUNKED "BODY \\x0D\\x0A\\x0D\\x0A\nEND\n"),
    Q("half a head", "GET / HT", "MORE\n"),
    Q("a head without its end", GET, "MORE\n"),
    Q("half a body", POST "Content-Length: 5\r\n\r\nhel",
      "HEAD POST /x len=5 fields=2\nMORE\n"),
    Q("half a chunk", POST CHUNKED "\r\n5\r\nhel", HEAD_CHUNKED "MORE\n"),
    Q("no last chunk", POST CHUNKED "\r\n5\r\nhello\r\n",
      HEAD_CHUNKED "MORE\n"),
    Q("no end of trailers", POST CHUNKED "\r\n0\r\n", HEAD_CHUNKED "MORE\n"),
    Q("length 2^63-1", POST "Content-Length: 9223372036854775807\r\n\r\nab",
      "HEAD POST /x len=9223372036854775807 fields=2\nMORE\n"),
    A("response", OK "Content-Length: 2\r\n\r\nhi",
      "HEAD 200 len=2 fields=1\nBODY hi\nEND\n"),
    A("empty reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
      "HEAD 404 len=0 fields=1\nEND\n"),
    A("chunked response", OK CHUNKED "\r\n2\r\nhi\r\n0\r\n\r\n",
      "HEAD 200 chunked fields=1\nBODY hi\nEND\n"),
    A("continue first",
      "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\na",
      "HEAD 100 fields=0\nEND\nHEAD 200 len=1 fields=1\nBODY a\nEND\n"),
    A("no content", "HTTP/1.1 204 No Content\r\n\r\n",
      "HEAD 204 fields=0\nEND\n"),
    A("not modified",
      "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" OK
      "Content-Length: 0\r\n\r\n",
      "HEAD 304 len=9 fields=1\nEND\nHEAD 200 len=0 fields=1\nEND\n"),
};

START_TEST(good_messages)
{
    wire_check(&good[_i]);
}
END_TEST

/* The reset byte voids what is half there; inside a body it is content. */
static const struct wire_case resets[] = {
    Q("alone", "\xFF", "RESET\n"),
    Q("twice", "\xFF\xFF" GET "\r\n", "RESET\nRESET\n" HEAD_GET "END\n"),
    Q("in a method", "GE\xFF" GET "\r\n", "RESET\n" HEAD_GET "END\n"),
    Q("in a target", "GET /\xFF" GET "\r\n", "RESET\n" HEAD_GET "END\n"),
    Q("in a value", GET "X: \xFF" GET "\r\n", "RESET\n" HEAD_GET "END\n"),
    Q("between CR and LF", "GET / HTTP/1.1\r\xFF" GET "\r\n",
      "RESET\n" HEAD_GET "END\n"),
    Q("before the last LF", GET "\r\xFF" GET "\r\n",
      "RESET\n" HEAD_GET "END\n"),
    Q("after a message", GET "\r\n\xFF" GET "\r\n",
      HEAD_GET "END\nRESET\n" HEAD_GET "END\n"),
    Q("in a chunk size", POST CHUNKED "\r\n1\xFF" GET "\r\n",
      HEAD_CHUNKED "RESET\n" HEAD_GET "END\n"),
    Q("behind a chunk", POST CHUNKED "\r\n1\r\nh\r\xFF" GET "\r\n",
      HEAD_CHUNKED "RESET\n" HEAD_GET "END\n"),
    Q("in a trailer", POST CHUNKED "\r\n0\r\nX: \xFF" GET "\r\n",
      HEAD_CHUNKED "RESET\n" HEAD_GET "END\n"),
    Q("data of a body",
      POST "Content-Length: 3\r\n\r\na\xFF"
           "b" GET "\r\n",
      "HEAD POST /x len=3 fields=2\nBODY a\\xFFb\nEND\n" HEAD_GET "END\n"),
    Q("data of a chunk", POST CHUNKED "\r\n2\r\n\xFF\xFF\r\n0\r\n\r\n",
      HEAD_CHUNKED "BODY \\xFF\\xFF\nEND\n"),
    A("in a response's head", OK "X: \xFF" OK "Content-Length: 0\r\n\r\n",
      "RESET\nHEAD 200 len=0 fields=1\nEND\n"),
};

START_TEST(reset_byte)
{
    wire_check(&resets[_i]);
}
END_TEST

/* Everything that another reader might understand differently. */
static const struct wire_case faults[] = {
    Q("both lengths", POST "Content-Length: 3\r\n" CHUNKED "\r\n0\r\n\r\n",
      "FAULT 400 both Content-Length and Transfer-Encoding\n"),
    Q("both lengths, other order",
      POST CHUNKED "Content-Length: 3\r\n\r\n0\r\n\r\n",
      "FAULT 400 both Content-Length and Transfer-Encoding\n"),
    Q("two lengths", POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n",
      "FAULT 400 more than one Content-Length\n"),
    Q("a field that we act on, twice",
      GET "X-Request-ID: a\r\nx-request-id: a\r\n\r\n",
      "FAULT 400 a field with one value, twice\n"),
    A("… in an answer",
      OK "Content-Range: bytes 0-0/1\r\n"
         "Content-Range: bytes 1-1/2\r\n\r\n",
      "FAULT 400 a field with one value, twice\n"),
    Q("the same length twice",
      POST "Content-Length: 3\r\ncontent-length: 3\r\n\r\n",
      "FAULT 400 more than one Content-Length\n"),
    Q("a list of lengths", POST "Content-Length: 3, 3\r\n\r\n", LENGTH),
    Q("plus", POST "Content-Length: +3\r\n\r\n", LENGTH),
    Q("minus", POST "Content-Length: -3\r\n\r\n", LENGTH),
    Q("no length", POST "Content-Length:\r\n\r\n", LENGTH),
    Q("hex length", POST "Content-Length: 0x3\r\n\r\n", LENGTH),
    Q("length with a tail", POST "Content-Length: 3 4\r\n\r\n", LENGTH),
    Q("length 2^63", POST "Content-Length: 9223372036854775808\r\n\r\n",
      LENGTH),
    Q("length 2^64+3", POST "Content-Length: 18446744073709551619\r\n\r\n",
      LENGTH),
    Q("two encodings", POST CHUNKED CHUNKED "\r\n",
      "FAULT 400 more than one Transfer-Encoding\n"),
    Q("gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
      "FAULT 501 Transfer-Encoding is not 'chunked'\n"),
    Q("identity", POST "Transfer-Encoding: identity\r\n\r\n",
      "FAULT 501 Transfer-Encoding is not 'chunked'\n"),
    Q("xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n",
      "FAULT 501 Transfer-Encoding is not 'chunked'\n"),
    Q("chunked hidden by VT",
      POST "Transfer-Encoding: \x0B"
           "chunked\r\n\r\n",
      VALUE),
    Q("other expectation", POST "Expect: 200-ok\r\n\r\n",
      "FAULT 417 Expect is not '100-continue'\n"),
    Q("folding", GET "X: a\r\n b\r\n\r\n",
      "FAULT 400 header line without a "
      "colon\n"),
    Q("folding with colon", GET "X: a\r\n b: c\r\n\r\n", NAME),
    Q("folding by tab", GET "X: a\r\n\tb: c\r\n\r\n", NAME),
    Q("folded first field", "GET / HTTP/1.1\r\n " HOST "\r\n", NAME),
    Q("blank before colon", POST "Content-Length : 3\r\n\r\n", NAME),
    Q("tab before colon", POST "Transfer-Encoding\t: chunked\r\n\r\n", NAME),
    Q("no name", GET ": x\r\n\r\n", NAME),
    Q("no colon", GET "Hello\r\n\r\n",
      "FAULT 400 header line without a colon\n"),
    Q("name not a token", GET "X(Y): x\r\n\r\n", NAME),
    Q("name not ASCII", GET "X\xC3\xA9: x\r\n\r\n", NAME),
    Q("control in a value", GET "X: a\x01\r\n\r\n", VALUE),
    Q("DEL in a value", GET "X: a\x7F\r\n\r\n", VALUE),
    Q("bare LF", "GET / HTTP/1.1\n", PAIR),
    Q("bare LF in a value", GET "X: a\nContent-Length: 5\r\n\r\n", PAIR),
    Q("bare CR in a value", GET "X: a\rb\r\n\r\n", PAIR),
    Q("bare LF as the end", GET "\n", PAIR),
    Q("CR CR LF", "GET / HTTP/1.1\r\r\n", PAIR),
    Q("starts with LF", "\n", PAIR),
    Q("starts with an empty line", "\r\n" GET "\r\n",
      "FAULT 400 empty line in front of a message\n"),
    Q("NUL in a head", "GET /\0 HTTP/1.1\r\n", "FAULT 400 NUL in a head\n"),
    Q("NUL in a value", GET "X: a\0b\r\n\r\n", "FAULT 400 NUL in a head\n"),
    Q("no Host", "GET / HTTP/1.1\r\n\r\n", NOHOST),
    Q("two Hosts", GET "host: other\r\n\r\n", NOHOST),
    Q("one word", "GET\r\n\r\n", LINE),
    Q("two words", "GET /\r\n\r\n", LINE),
    Q("HTTP/0.9 style", "GET /\r\n" HOST "\r\n", LINE),
    Q("two blanks", "GET  / HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 malformed HTTP version\n"),
    Q("tab for a blank", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", LINE),
    Q("four words", "GET / x HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 malformed HTTP version\n"),
    Q("blank in front", " GET / HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 malformed method\n"),
    Q("method not a token", "GE(T / HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 malformed method\n"),
    Q("HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "\r\n",
      "FAULT 505 only HTTP/1.1 is spoken here\n"),
    Q("HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n",
      "FAULT 505 only HTTP/1.1 is spoken here\n"),
    Q("http/1.1", "GET / http/1.1\r\n" HOST "\r\n",
      "FAULT 400 malformed HTTP version\n"),
    Q("trailing blank", "GET / HTTP/1.1 \r\n" HOST "\r\n",
      "FAULT 400 malformed HTTP version\n"),
    Q("HTTP/1.1x", "GET / HTTP/1.1x\r\n" HOST "\r\n",
      "FAULT 400 malformed HTTP version\n"),
    Q("asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 request target is not a path\n"),
    Q("authority form", "CONNECT h:80 HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 request target is not a path\n"),
    Q("absolute without path", "GET http://h HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 request target is not a path\n"),
    Q("path inside a query", "GET http://h?/a HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 request target is not a path\n"),
    Q("other scheme", "GET https://h/ HTTP/1.1\r\n" HOST "\r\n",
      "FAULT 400 request target is not a path\n"),
    Q("fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", TARGET),
    Q("control in a target", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", TARGET),
    Q("UTF-8 in a target", "GET /\xC3\xA9 HTTP/1.1\r\n" HOST "\r\n", TARGET),
    Q("broken off",
      POST CHUNKED "\r\n2\r\nhi\r\n!broken off: at byte 2: why\r\nmore",
      HEAD_CHUNKED "FAULT 400 at byte 2: why\n"),
    Q("chunk size empty", POST CHUNKED "\r\n\r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size signed", POST CHUNKED "\r\n+1\r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size negative", POST CHUNKED "\r\n-1\r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size 0x1", POST CHUNKED "\r\n0x1\r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size word", POST CHUNKED "\r\nxyz\r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size, blank", POST CHUNKED "\r\n1 \r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size, in front", POST CHUNKED "\r\n 1\r\n", HEAD_CHUNKED CHUNK),
    Q("chunk size of 16 digits", POST CHUNKED "\r\nffffffffffffffff\r\n",
      HEAD_CHUNKED CHUNK),
    Q("chunk size 2^60", POST CHUNKED "\r\n1000000000000000\r\n",
      HEAD_CHUNKED CHUNK),
    Q("chunk size and bare LF", POST CHUNKED "\r\n1\nx",
      HEAD_CHUNKED "FAULT 400 stray LF or NUL in a chunked body\n"),
    Q("bare LF in an extension", POST CHUNKED "\r\n1;\nx\r\n",
      HEAD_CHUNKED "FAULT 400 stray LF or NUL in a chunked body\n"),
    Q("bare CR in an extension", POST CHUNKED "\r\n1;\rx\r\n",
      HEAD_CHUNKED "FAULT 400 CR without LF in a chunked body\n"),
    Q("NUL in a chunk size", POST CHUNKED "\r\n1\0\r\n",
      HEAD_CHUNKED "FAULT 400 stray LF or NUL in a chunked body\n"),
    Q("chunk longer", POST CHUNKED "\r\n1\r\nab\r\n",
      HEAD_CHUNKED "FAULT 400 chunk longer than its size\n"),
    Q("chunk ends with LF", POST CHUNKED "\r\n1\r\na\n",
      HEAD_CHUNKED "FAULT 400 stray LF or NUL in a chunked body\n"),
    Q("trailer with LF", POST CHUNKED "\r\n0\r\nA: b\n\r\n",
      HEAD_CHUNKED "FAULT 400 stray LF or NUL in a chunked body\n"),
    Q("request line as a trailer", POST CHUNKED "\r\n0\r\n" GET "\r\n",
      HEAD_CHUNKED "FAULT 400 malformed trailer\n"),
    A("request to a client", GET "\r\n", "FAULT 400 malformed status line\n"),
    A("no length", OK "\r\n", "FAULT 400 response without a length\n"),
    A("two-digit status", "HTTP/1.1 20 OK\r\n\r\n",
      "FAULT 400 malformed status code\n"),
    A("four-digit status", "HTTP/1.1 2000 OK\r\n\r\n",
      "FAULT 400 malformed status line\n"),
    A("status 600", "HTTP/1.1 600 No\r\n\r\n",
      "FAULT 400 malformed status line\n"),
    A("status 099", "HTTP/1.1 099 No\r\n\r\n",
      "FAULT 400 malformed status line\n"),
    A("no blank behind status", "HTTP/1.1 200\r\n\r\n",
      "FAULT 400 malformed status line\n"),
    A("control in a reason", "HTTP/1.1 200 O\x1BK\r\n\r\n",
      "FAULT 400 malformed status line\n"),
    A("HTTP/1.0 response", "HTTP/1.0 200 OK\r\n\r\n",
      "FAULT 400 malformed status line\n"),
    A("both lengths in a response", OK "Content-Length: 1\r\n" CHUNKED "\r\n",
      "FAULT 400 both Content-Length and Transfer-Encoding\n"),
};

START_TEST(malformed)
{
    wire_check(&faults[_i]);
}
END_TEST

/* prefix, n times the filler, suffix. */
static char *grown(const char *prefix, size_t n, const char *suffix)
{
    char *text = malloc(strlen(prefix) + n + strlen(suffix) + 1);

    ck_assert_ptr_nonnull(text);
    strcpy(text, prefix);
    memset(text + strlen(prefix), 'a', n);
    strcpy(text + strlen(prefix) + n, suffix);
    return text;
}

/* Runs a text that was built for one limit, and frees it. */
static void limit(const char *name, char *text, const char *transcript)
{
    struct wire_case one = { name, HTTP_REQUEST, text, strlen(text),
                             transcript };

    wire_check(&one);
    free(text);
}

START_TEST(head_limit)
{
    size_t fixed = strlen(GET "X: \r\n\r\n");

    limit("head at its limit",
          grown(GET "X: ", HTTP_HEAD_MAX - fixed, "\r\n\r\n"),
          "HEAD GET / fields=2\nEND\n");
    limit("head one above",
          grown(GET "X: ", HTTP_HEAD_MAX - fixed + 1, "\r\n\r\n"),
          "FAULT 431 head too large\n");
    limit("a head without end", grown("G", HTTP_HEAD_MAX, ""),
          "FAULT 431 head too large\n");
}
END_TEST

START_TEST(target_limit)
{
    struct wire_case one = { .role = HTTP_REQUEST };
    char *text = grown("GET /", HTTP_TARGET_MAX - 1,
                       " HTTP/1.1\r\n" HOST "\r\n");
    char *transcript;

    one.bytes = text;
    one.n = strlen(text);
    transcript = wire_transcript(&one, one.n);
    ck_assert_mem_eq(transcript, "HEAD GET /aaa", 13);
    free(transcript);
    free(text);
    limit("target one above",
          grown("GET /", HTTP_TARGET_MAX, " HTTP/1.1\r\n" HOST "\r\n"),
          "FAULT 414 request target too long\n");
}
END_TEST

START_TEST(method_limit)
{
    limit("method at its limit",
          grown("", HTTP_METHOD_MAX, " / HTTP/1.1\r\n" HOST "\r\n"),
          "HEAD aaaaaaaaaaaaaaaa / fields=1\nEND\n");
    limit("method one above",
          grown("", HTTP_METHOD_MAX + 1, " / HTTP/1.1\r\n" HOST "\r\n"),
          "FAULT 501 unknown method\n");
}
END_TEST

START_TEST(field_limit)
{
    struct buf text;

    buf_init(&text, HTTP_HEAD_MAX);
    buf_puts(&text, GET);
    for (int i = 1; i < HTTP_FIELDS_MAX; i++)
        buf_puts(&text, "X: y\r\n");
    buf_puts(&text, "\r\n");
    limit("fields at the limit", strdup(buf_cstr(&text)),
          "HEAD GET / fields=64\nEND\n");
    text.len -= 2;
    buf_puts(&text, "X: y\r\n\r\n");
    limit("fields one above", strdup(buf_cstr(&text)),
          "FAULT 431 too many header fields\n");
    buf_free(&text);
}
END_TEST

START_TEST(chunk_line_limit)
{
    /* The limit counts the CR. */
    limit("chunk line at its limit",
          grown(POST CHUNKED "\r\n0;", HTTP_CHUNK_LINE_MAX - 3, "\r\n\r\n"),
          HEAD_CHUNKED "END\n");
    limit("chunk line one above",
          grown(POST CHUNKED "\r\n0;", HTTP_CHUNK_LINE_MAX - 2, "\r\n\r\n"),
          HEAD_CHUNKED "FAULT 400 line too long in a chunked body\n");
    limit("15 digits", strdup(POST CHUNKED "\r\nfffffffffffffff\r\nabc"),
          HEAD_CHUNKED "MORE\n");
}
END_TEST

/* Trailers of 128 bytes: exactly 32 of them fit. */
START_TEST(trailer_limit)
{
    struct buf text;
    char *line = grown("X: ", 125, "\r\n");

    buf_init(&text, 2 * HTTP_TRAILER_MAX);
    buf_puts(&text, POST CHUNKED "\r\n0\r\n");
    for (int i = 0; i < HTTP_TRAILER_MAX / 128; i++)
        buf_puts(&text, line);
    buf_puts(&text, "\r\n");
    limit("trailers at the limit", strdup(buf_cstr(&text)),
          HEAD_CHUNKED "END\n");
    text.len -= 2;
    buf_puts(&text, "X:\r\n\r\n");
    limit("trailers above", strdup(buf_cstr(&text)),
          HEAD_CHUNKED "FAULT 431 trailer too large\n");
    buf_free(&text);
    free(line);
}
END_TEST

START_TEST(large_body_in_odd_pieces)
{
    struct wire_case one = { .role = HTTP_REQUEST };
    char *text = grown(POST "Content-Length: 70000\r\n\r\n", 70000,
                       GET "\r\n");
    char *want;

    one.bytes = text;
    one.n = strlen(text);
    want = wire_transcript(&one, one.n);
    for (size_t step = 4095; step < 4099; step++) {
        char *got = wire_transcript(&one, step);

        ck_assert_str_eq(got, want);
        free(got);
    }
    free(want);
    free(text);
}
END_TEST

/* A fault swallows everything until someone decides what to do. */
START_TEST(fault_is_final_until_reset)
{
    const uint8_t bytes[] = GET "\r\n";
    struct msg msg;
    size_t used;

    msg_init(&msg, HTTP_REQUEST);
    ck_assert_int_eq(msg_feed(&msg, (const uint8_t *) "\n", 1, &used),
                     MSG_FAULT);
    ck_assert(!msg_idle(&msg));
    ck_assert_int_eq(msg_feed(&msg, bytes, sizeof(bytes) - 1, &used),
                     MSG_FAULT);
    ck_assert_uint_eq(used, sizeof(bytes) - 1);
    msg_reset(&msg);
    ck_assert(msg_idle(&msg));
    ck_assert_int_eq(msg_feed(&msg, bytes, sizeof(bytes) - 1, &used),
                     MSG_HEAD);
    ck_assert_uint_eq(used, sizeof(bytes) - 1);
    ck_assert_str_eq(http_field_get(&msg.head, "host"), "virtio-rpc");
    ck_assert_int_eq(msg_feed(&msg, NULL, 0, &used), MSG_END);
    msg_free(&msg);
}
END_TEST

void unit_cases(TCase *tcase)
{
    tcase_add_loop_test(tcase, good_messages, 0, ARRAY_SIZE(good));
    tcase_add_loop_test(tcase, reset_byte, 0, ARRAY_SIZE(resets));
    tcase_add_loop_test(tcase, malformed, 0, ARRAY_SIZE(faults));
    tcase_add_test(tcase, head_limit);
    tcase_add_test(tcase, target_limit);
    tcase_add_test(tcase, method_limit);
    tcase_add_test(tcase, field_limit);
    tcase_add_test(tcase, chunk_line_limit);
    tcase_add_test(tcase, trailer_limit);
    tcase_add_test(tcase, large_body_in_odd_pieces);
    tcase_add_test(tcase, fault_is_final_until_reset);
}
