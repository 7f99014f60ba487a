# tests/lint: the rules of the house and the agreement of code, manuals and
# example configurations.  What is checked follows from what was configured.
LINT_TESTS = \
	tests/lint/ascii.sh \
	tests/lint/keys.sh \
	tests/lint/kills.sh \
	tests/lint/linkage.sh \
	tests/lint/manuals.sh \
	tests/lint/options.sh \
	tests/lint/params.sh \
	tests/lint/protocol.sh \
	tests/lint/rooms.sh \
	tests/lint/sysusers.sh
# Sanitizers come instead of what hardens, and ask more of the C library.
LINT_HARDENING = \
	tests/lint/glibc.sh \
	tests/lint/hardening.sh
dist_check_SCRIPTS += $(LINT_TESTS) $(LINT_HARDENING)
EXTRA_DIST += tests/lint/tap.sh tests/lint/rooms.table
TESTS += $(LINT_TESTS)
if !SANITIZERS
TESTS += $(LINT_HARDENING)
endif

LINT_ROOMS =
if HOST
LINT_ROOMS += host
endif
if GUEST
LINT_ROOMS += guest
endif
AM_TESTS_ENVIRONMENT += \
	LINT_ROOMS='$(LINT_ROOMS)'; export LINT_ROOMS; \
	LINT_FLAGS='$(CFLAGS) $(HARDEN_CFLAGS) $(HARDEN_LDFLAGS)'; export LINT_FLAGS; \
	LINT_PROGRAMS='$(bin_PROGRAMS) $(sbin_PROGRAMS)'; export LINT_PROGRAMS;

# A report and no test: the folders of src/, and the files that are longest.
sizes:
	@cd '$(srcdir)/src' && find . -name '*.c' -o -name '*.h' | sed 's|^\./||' | sort \
		| xargs wc -l | $(AWK) '$$2 != "total" { d = $$2; sub("/[^/]*$$", "", d); \
			if ($$2 ~ /\.c$$/) n[d]++; lines[d] += $$1 } \
			END { for (d in lines) printf "%-16s %3d files, %6d lines\n", d, n[d], lines[d] }' | sort
	@cd '$(srcdir)/src' && find . -name '*.c' | xargs wc -l | sort -rn | sed -n '2,11p'
.PHONY: sizes
