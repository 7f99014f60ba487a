# tests/fuzz: harnesses that are fed arbitrary bytes; each fuzz-NAME.c has a
# corpus, which "make check" replays.  Configured with --enable-fuzzers they are
# fuzzers, which tests/fuzz/run builds and lets run.
if HAVE_CHECK
check_LIBRARIES += tests/fuzz/libfuzz.a
tests_fuzz_libfuzz_a_SOURCES = \
	tests/fuzz/checks.c tests/fuzz/fuzz.h \
	tests/unit/play.c tests/unit/play.h \
	tests/unit/wire.c tests/unit/wire.h
FUZZ_LIBS = tests/fuzz/libfuzz.a

FUZZERS = \
	tests/fuzz/fuzz-field \
	tests/fuzz/fuzz-handshake \
	tests/fuzz/fuzz-http \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-jsonraw \
	tests/fuzz/fuzz-server \
	tests/fuzz/fuzz-stream \
	tests/fuzz/fuzz-uri \
	tests/fuzz/fuzz-yaml
if HOST
FUZZERS += \
	tests/fuzz/fuzz-domxml \
	tests/fuzz/fuzz-job
FUZZ_LIBS += $(HOST_LIBS)
endif
FUZZ_LIBS += $(PROTO_LIBS) $(FUZZ_ENGINE)

tests_fuzz_fuzz_domxml_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_field_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_handshake_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_http_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_job_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_json_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_jsonraw_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_server_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_stream_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_uri_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_yaml_LDADD = $(FUZZ_LIBS)

check_PROGRAMS += $(FUZZERS)
# The fuzzer brings a main() of its own.
if !FUZZ
tests_fuzz_libfuzz_a_SOURCES += tests/fuzz/replay.c
TESTS += $(FUZZERS)
endif
endif

fuzzers: $(FUZZERS)
.PHONY: fuzzers
EXTRA_DIST += tests/fuzz/run tests/fuzz/corpus
