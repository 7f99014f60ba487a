# tests/lint: the rules of the house and the agreement of code, manuals and
# example configurations.  What is checked follows from what was configured.
LINT_TESTS = \
	tests/lint/keys.sh \
	tests/lint/linkage.sh \
	tests/lint/manuals.sh \
	tests/lint/options.sh \
	tests/lint/protocol.sh \
	tests/lint/rooms.sh
dist_check_SCRIPTS += $(LINT_TESTS)
EXTRA_DIST += tests/lint/tap.sh
TESTS += $(LINT_TESTS)

LINT_ROOMS =
if HOST
LINT_ROOMS += host
endif
if GUEST
LINT_ROOMS += guest
endif
AM_TESTS_ENVIRONMENT += \
	LINT_ROOMS='$(LINT_ROOMS)'; export LINT_ROOMS; \
	LINT_PROGRAMS='$(bin_PROGRAMS) $(sbin_PROGRAMS)'; export LINT_PROGRAMS;
