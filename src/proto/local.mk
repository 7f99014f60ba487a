# proto: knows util and json-c; no descriptors, clocks, environment or logs.
noinst_LIBRARIES += libproto.a
libproto_a_SOURCES = \
	src/proto/ability.c src/proto/ability.h \
	src/proto/auth.c src/proto/auth.h \
	src/proto/chunk.c src/proto/chunk.h \
	src/proto/digestfield.c src/proto/digestfield.h \
	src/proto/envelope.c src/proto/envelope.h \
	src/proto/flow.c src/proto/flow.h \
	src/proto/handshake.c src/proto/handshake.h \
	src/proto/http.c src/proto/http.h \
	src/proto/jsonraw.c src/proto/jsonraw.h \
	src/proto/jsonscan.c src/proto/jsonscan.h \
	src/proto/limits.h \
	src/proto/msg.c src/proto/msg.h \
	src/proto/param.c src/proto/param.h \
	src/proto/probe.c src/proto/probe.h \
	src/proto/range.c src/proto/range.h \
	src/proto/route.c src/proto/route.h \
	src/proto/server.c src/proto/server.h \
	src/proto/signame.c src/proto/signame.h \
	src/proto/status.c src/proto/status.h \
	src/proto/syncscan.c src/proto/syncscan.h \
	src/proto/uri.c src/proto/uri.h
libproto_a_CFLAGS = $(ROOM_CFLAGS) $(JSON_CFLAGS)
PROTO_LIBS = libproto.a $(JSON_LIBS) $(UTIL_LIBS)
