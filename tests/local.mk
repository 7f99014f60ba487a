# tests: everything that runs in "make check" speaks TAP, so that each case is
# counted and a program that dies before its plan is an error.
TAP_DRIVER = $(SHELL) $(top_srcdir)/tests/driver \
	env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = bash
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)'; \
	export top_srcdir top_builddir; \
	AWK='$(AWK)' SED='$(SED)' LC_ALL=C TZ=UTC; \
	export AWK SED LC_ALL TZ; \
	: $${VSRPC_TEST_LOCK=tests/lock}; SERIAL_TESTS='$(SERIAL_TESTS)'; \
	export VSRPC_TEST_LOCK SERIAL_TESTS;

# Those that measure an upper time run when no other test does: the last ones,
# so that they do not hold up the others while they wait.
SERIAL_TESTS =

dist_check_SCRIPTS += tests/driver tests/needs.sh
EXTRA_DIST += tests/gate.sh tests/suites.sh tests/long tests/README.md
CLEANFILES += tests/lock

# What is left out is said first, for make says nothing behind a test that
# failed; and last.
check_DATA += needs
needs:
	@HAVE_CHECK='$(have_check)' $(SHELL) $(srcdir)/tests/needs.sh
check-local: check-TESTS
	@HAVE_CHECK='$(have_check)' $(SHELL) $(srcdir)/tests/needs.sh
.PHONY: needs

# --- what a person calls; tests/README.md has them all ---------------------

# E2E='small/exec faults/' runs only these.
check-e2e: all
	VSRPC_BUILD='$(abs_top_builddir)' bash '$(srcdir)/tests/e2e/run' $(E2E)

check-long: all
	VSRPC_BUILD='$(abs_top_builddir)' bash '$(srcdir)/tests/long'

VALGRIND_FLAGS = --quiet --error-exitcode=99 --leak-check=full \
	--show-leak-kinds=definite --errors-for-leak-kinds=definite
check-valgrind:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS='$(UNIT_TESTS) $(UNIT_SERIAL_TESTS)' \
		LOG_COMPILER='valgrind $(VALGRIND_FLAGS)'

# In a build of its own.  A line for each folder: lines that were executed.
coverage:
	@command -v gcovr >/dev/null || { echo 'no gcovr (Debian: gcovr)' >&2; exit 1; }
	$(MKDIR_P) coverage
	cd coverage && '$(abs_srcdir)/configure' -q CFLAGS='-O0 -g --coverage'
	-$(MAKE) $(AM_MAKEFLAGS) -C coverage check
	rm -f coverage/a-conftest.gc*
	top=$$(cd '$(srcdir)' && pwd) && gcovr -r "$$top" --filter "$$top/src/" coverage --csv \
		| $(AWK) -F, 'NR > 1 { sub("/[^/]*$$", "", $$1); \
			all[$$1] += $$2; run[$$1] += $$3 } \
			END { for (d in all) printf "%-18s %6d of %6d lines, %5.1f %%\n", \
				d, run[d], all[d], 100 * run[d] / all[d] }'
.PHONY: check-e2e check-long check-valgrind coverage

include tests/unit/local.mk
include tests/lint/local.mk
include tests/bench/local.mk
include tests/cli/local.mk
include tests/faults/local.mk
include tests/kernel/local.mk
include tests/fuzz/local.mk
TESTS += $(SERIAL_TESTS)
