# util: knows libc, libyaml (yaml.c) and libcrypto (crypto.c), and nobody else.
noinst_LIBRARIES += libutil.a
libutil_a_SOURCES = \
	src/util/buf.c src/util/buf.h \
	src/util/cleanup.h \
	src/util/clock.c src/util/clock.h \
	src/util/crypto.c src/util/crypto.h \
	src/util/error.c src/util/error.h \
	src/util/fd.c src/util/fd.h \
	src/util/fssync.c src/util/fssync.h \
	src/util/log.c src/util/log.h \
	src/util/newfile.c src/util/newfile.h \
	src/util/num.c src/util/num.h \
	src/util/opath.c src/util/opath.h \
	src/util/peek.c src/util/peek.h \
	src/util/quote.c src/util/quote.h \
	src/util/random.c src/util/random.h \
	src/util/replaced.c src/util/replaced.h \
	src/util/text.c src/util/text.h \
	src/util/yaml.c src/util/yaml.h
libutil_a_CFLAGS = $(ROOM_CFLAGS) $(YAML_CFLAGS) $(CRYPTO_CFLAGS)
UTIL_LIBS = libutil.a $(YAML_LIBS) $(CRYPTO_LIBS)
