# tests/unit: Check programs that link the very objects that ship.  One program
# for each test-*.c, in folders that mirror src/; unit.c has main() and the
# three-way runner.  Automake finds NAME.c for the program NAME by itself, and
# what nobody says more about is linked with LDADD.
if HAVE_CHECK
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = \
	tests/unit/forbid.c tests/unit/forbid.h \
	tests/unit/guarded.c tests/unit/guarded.h \
	tests/unit/play.c tests/unit/play.h \
	tests/unit/unit.c tests/unit/unit.h \
	tests/unit/wire.c tests/unit/wire.h
UNIT_LIBS =
UNIT_SERIAL_TESTS =

UNIT_TESTS = \
	tests/unit/proto/test-auth \
	tests/unit/proto/test-envelope \
	tests/unit/proto/test-flow \
	tests/unit/proto/test-handshake \
	tests/unit/proto/test-http \
	tests/unit/proto/test-jsonraw \
	tests/unit/proto/test-msg \
	tests/unit/proto/test-range \
	tests/unit/proto/test-route \
	tests/unit/proto/test-server \
	tests/unit/proto/test-server-token \
	tests/unit/proto/test-server-urge \
	tests/unit/proto/test-status \
	tests/unit/proto/test-syncscan \
	tests/unit/proto/test-uri \
	tests/unit/util/test-buf \
	tests/unit/util/test-crypto \
	tests/unit/util/test-error \
	tests/unit/util/test-fd \
	tests/unit/util/test-log \
	tests/unit/util/test-num \
	tests/unit/util/test-opath \
	tests/unit/util/test-quote \
	tests/unit/util/test-random \
	tests/unit/util/test-replaced \
	tests/unit/util/test-text \
	tests/unit/util/test-yaml

if GUEST
check_LIBRARIES += tests/unit/libunitguest.a
tests_unit_libunitguest_a_SOURCES = \
	tests/unit/guest/again.c tests/unit/guest/again.h \
	tests/unit/guest/files.c tests/unit/guest/files.h \
	tests/unit/guest/rig.c tests/unit/guest/rig.h \
	tests/unit/guest/sessions.c tests/unit/guest/sessions.h \
	tests/unit/guest/spin.c tests/unit/guest/spin.h \
	tests/unit/guest/turns.c tests/unit/guest/turns.h
UNIT_LIBS += tests/unit/libunitguest.a libguest.a
UNIT_TESTS += \
	tests/unit/guest/core/test-endpoint \
	tests/unit/guest/core/test-loop \
	tests/unit/guest/core/test-owner \
	tests/unit/guest/core/test-settings \
	tests/unit/guest/file/test-remove \
	tests/unit/guest/file/test-transfer \
	tests/unit/guest/file/test-upload \
	tests/unit/guest/handle/test-announced \
	tests/unit/guest/handle/test-list \
	tests/unit/guest/handle/test-tree \
	tests/unit/guest/job/test-jobs-life \
	tests/unit/guest/job/test-outlog \
	tests/unit/guest/policy/test-auth-check \
	tests/unit/guest/policy/test-command-policy \
	tests/unit/guest/policy/test-command-rules \
	tests/unit/guest/policy/test-copies \
	tests/unit/guest/policy/test-env-policy \
	tests/unit/guest/policy/test-path-lists \
	tests/unit/guest/policy/test-path-policy \
	tests/unit/guest/policy/test-path-walk \
	tests/unit/guest/policy/test-rate \
	tests/unit/guest/port/test-quarantine \
	tests/unit/guest/port/test-session \
	tests/unit/guest/port/test-session-files \
	tests/unit/guest/port/test-session-life \
	tests/unit/guest/port/test-session-urge \
	tests/unit/guest/proc/test-cgroup \
	tests/unit/guest/proc/test-child \
	tests/unit/guest/proc/test-environment \
	tests/unit/guest/proc/test-expand \
	tests/unit/guest/proc/test-shellsplit \
	tests/unit/guest/proc/test-user \
	tests/unit/guest/proc/test-worker \
	tests/unit/guest/request/test-detached \
	tests/unit/guest/request/test-admission \
	tests/unit/guest/request/test-params \
	tests/unit/guest/request/test-replay \
	tests/unit/guest/request/test-replay-cache \
	tests/unit/guest/request/test-replay-once \
	tests/unit/guest/system/test-service
UNIT_SERIAL_TESTS += \
	tests/unit/guest/job/test-jobs \
	tests/unit/guest/job/test-jobs-start \
	tests/unit/guest/proc/test-child-sink \
	tests/unit/guest/proc/test-pty
endif

if HOST
check_LIBRARIES += tests/unit/libunithost.a
tests_unit_libunithost_a_SOURCES = \
	tests/unit/host/capture.c tests/unit/host/capture.h \
	tests/unit/host/link.c tests/unit/host/link.h \
	tests/unit/host/streaming.c tests/unit/host/streaming.h
UNIT_LIBS += tests/unit/libunithost.a $(HOST_LIBS)
UNIT_TESTS += \
	tests/unit/host/args/test-opt \
	tests/unit/host/client/test-attempts \
	tests/unit/host/client/test-keyfile \
	tests/unit/host/client/test-retry \
	tests/unit/host/copy/test-throttle \
	tests/unit/host/domain/test-channel \
	tests/unit/host/domain/test-domxml \
	tests/unit/host/fleet/test-prefix \
	tests/unit/host/fleet/test-record \
	tests/unit/host/job/test-escape \
	tests/unit/host/job/test-job \
	tests/unit/host/job/test-std-output \
	tests/unit/host/job/test-stream \
	tests/unit/host/job/test-stream-resume \
	tests/unit/host/job/test-stream-wrong \
	tests/unit/host/job/test-waitset \
	tests/unit/host/link/test-dial \
	tests/unit/host/link/test-holder \
	tests/unit/host/link/test-lock \
	tests/unit/host/link/test-rpc \
	tests/unit/host/link/test-rpc-post \
	tests/unit/host/link/test-rpc-sent \
	tests/unit/host/local/test-flusher \
	tests/unit/host/local/test-localtree \
	tests/unit/host/local/test-tempfile \
	tests/unit/host/term/test-mode \
	tests/unit/host/term/test-out \
	tests/unit/host/term/test-progress \
	tests/unit/host/term/test-shorten
# its own clock, and its own road to an agent
tests_unit_host_client_test_attempts_SOURCES = tests/unit/host/client/test-attempts.c \
	tests/unit/host/client/fated.c tests/unit/host/client/fated.h
tests_unit_host_client_test_attempts_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=clock_ms -Wl,--wrap=clock_sleep_ms \
	-Wl,--wrap=deadline_in -Wl,--wrap=deadline_left \
	-Wl,--wrap=dial_target -Wl,--wrap=fd_wait_or
endif

LDADD = $(UNIT_LIBS) tests/unit/libunit.a $(PROTO_LIBS) $(CHECK_LIBS)
check_PROGRAMS += $(UNIT_TESTS) $(UNIT_SERIAL_TESTS)
TESTS += $(UNIT_TESTS)
SERIAL_TESTS += $(UNIT_SERIAL_TESTS)
endif
