/* SPDX-License-Identifier: LGPL-2.1-or-later
 * SPDX-FileCopyrightText: The vsrpc authors */
/*
 * Every limit of the protocol, each with its reason.  Both ends use the same
 * numbers; vsrpc-protocol(7) lists them.
 */
#ifndef VSRPC_PROTO_LIMITS_H
#define VSRPC_PROTO_LIMITS_H

/* The port that both ends use unless they are told otherwise. */
#define CHANNEL_DEFAULT "org.vsrpc.agent.0"

/* A path of PATH_MAX bytes, every byte percent-encoded, and some query. */
#define HTTP_TARGET_MAX (16 * 1024)

/* The longest target and twenty generous header fields. */
#define HTTP_HEAD_MAX (32 * 1024)

/* curl sends 5, we send 9, proxies and libraries about 20. */
#define HTTP_FIELDS_MAX 64

/* Longest method we know is DELETE; longer ones cannot be in the table. */
#define HTTP_METHOD_MAX 16

/* A chunk-size line: 16 hex digits, and extensions that nobody sends. */
#define HTTP_CHUNK_LINE_MAX 256

/* Trailer fields are allowed by RFC 9112 and ignored here. */
#define HTTP_TRAILER_MAX 4096

/* A UUID has 36 bytes; leaves room for prefixes. */
#define REQUEST_ID_MAX 128

/* No request of ours nests deeper than 3. */
#define JSON_DEPTH_MAX 32

/* JSON costs json-c some 100 bytes for a value and 800 for an empty object, so
 * that ten megabytes of "{}," would become 2.5 GB.  The most values that
 * anybody sends are the words of a command, of which execve(2) takes 200,000;
 * the most containers are the entries of a page of a folder (LIST_PAGE) or
 * what a custom handler prints.  Together at most 40 MB. */
#define JSON_VALUES_MAX (256L * 1024)
#define JSON_CONTAINERS_MAX (16L * 1024)

/* Words of a command that comes as one text. execve(2) takes no more (with the
 * usual stack of 8 MiB: 2 MiB of words and pointers to them), and each costs
 * some 40 bytes. */
#define ARGV_MAX (256 * 1024)

/* Bytes of the words that its patterns become, and of pointers to them: what
 * execve(2) takes with the usual stack. */
#define EXPAND_MAX (2 * 1024 * 1024)

/* What they match is looked for so long (s): whoever starts the command has
 * the channel meanwhile, and waits for a minute. */
#define EXPAND_S 20

/* A handler's name in /api/v1/custom/NAME: what a file name may be. */
#define CUSTOM_NAME_MAX 64

/* One response that the host takes into memory.  Twice the largest output an
 * agent gives back (its max_output_size), because JSON may double it. */
#define RESPONSE_MAX (256L * 1024 * 1024)

/* What the host throws away while it looks for the answer to its sync: the
 * kernel was seen to queue 4.4 MB for a reader that had left. */
#define SYNC_DISCARD_MAX (64L * 1024 * 1024)

/* Raw bytes in one JSON download; base64 and JSON make it a third more. */
#define DOWNLOAD_JSON_MAX (6L * 1024 * 1024)

/* Entries of a folder in one answer, and bytes of their names and of what
 * links point to: some milliseconds of the agent, and at most about a megabyte
 * of text. */
#define LIST_PAGE 1000
#define LIST_NAMES_MAX (256L * 1024)

/* Raw bytes of one turn of a transfer by the host: at 100 MiB/s the channel
 * is taken for 40 ms and the round trip is less than a hundredth of it. */
#define TRANSFER_CHUNK (4L * 1024 * 1024)

/* What the digest of a part of a file may be made of at once: a sixteenth of a
 * second, in which nobody else is answered. */
#define DIGEST_SPAN_MAX (32 * 1024 * 1024)

/* The marker that ends whatever half-received request is in the agent: the
 * byte is valid in no head, no JSON and no base64. */
#define RESET_BYTE 0xFF

/* While the agent answers a sync, this long may pass before the host tries
 * again from a new connection (ms): thirty times the slowest answer seen.  The
 * first sync is short of time: it is lost where the agent missed that the last
 * client left.  The second is for that; whoever does not answer it either is
 * not there yet, is slow, or hangs, and is tried again as retry.* says, for twice
 * as long each time. */
#define SYNC_FIRST_MS 400
#define SYNC_ATTEMPT_MS 1000
#define SYNC_LONGEST_MS (64 * 1000)

/* The host stays away this long (ms) so that the agent sees it leave; one
 * was enough in 480 of 480, a loaded guest needs more. */
#define RECONNECT_GAP_MS 100

/* While a request is worked on the host asks for a sign of life this often
 * (s): a line of some 80 bytes, a thousandth of what a command costs. */
#define HEARTBEAT_S 2
#define HEARTBEAT_MAX_S 60

/* Without any byte for so long (ms) the host looks what became of the guest:
 * five signs of life are missing. */
#define SILENCE_MS 10000

/* What a client that vanished has under way goes on for so long (ms): it may
 * come back for it.  A reconnect takes about 1200 ms with a lost sync. */
#define SESSION_GRACE_MS 5000

/* Requests that go on without their client, at once. */
#define DETACHED_MAX 8

/* What the agent remembers of requests so that none is carried out twice: a
 * client that tries again does so within seconds, not minutes. */
#define REPLAY_ENTRIES 1024
#define REPLAY_MS (10L * 60 * 1000)
#define REPLAY_ANSWER_MAX (1024L * 1024)
#define REPLAY_ANSWERS_MAX (4L * 1024 * 1024)

/* Jobs that run or whose result is kept.  A record is some hundred bytes. */
#define JOBS_MAX 64

/* Of them so many may be detached ones that run, or whose result nobody has
 * read, so that those keep no other command out. */
#define JOBS_DETACHED_MAX 48

/* A result whose client has not come for so long (ms), although it meant to,
 * may go when its place is needed: clients come for one turn each, and all that
 * there may be are through in a tenth of that. */
#define JOB_MISSED_MS 60000

/* What a job may hold of its output that nobody has taken: a turn of the
 * channel and one more, so that the program writes on meanwhile.  Likewise of
 * input that the program has not read. */
#define JOB_OUTPUT_MAX (2048L * 1024)
#define JOB_INPUT_MAX (256L * 1024)

/* A pipe's content, which each job may always hold; what is above that is
 * taken from a pool of all jobs, so that none can starve another. */
#define JOB_HOLD_MIN (64L * 1024)
#define JOBS_POOL (4L * 1024 * 1024)

/* Output in one answer: a few milliseconds of the channel, and so much that
 * the round trip is a tenth of it.  Two answers fit into the agent's output:
 * one request may stand behind a waiting one. */
#define JOB_ANSWER_MAX (1024L * 1024)

/* Pieces of the two outputs in one answer (each some bytes of its head), and
 * those that a job keeps apart. */
#define JOB_ANSWER_SEGMENTS 128
#define JOB_SEGMENTS_MAX 4096

/* A request may wait so long for something to happen to a job (ms). */
#define JOB_WAIT_MAX_MS 60000

/* A client that let others have the channel may come back so late (ms). */
#define JOB_AWAY_MS (10L * 60 * 1000)

#endif
