# tests: everything that runs in "make check" speaks TAP, so that each case is
# counted and a program that dies before its plan is an error.
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = bash
AM_TESTS_ENVIRONMENT = \
	top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)'; \
	export top_srcdir top_builddir; \
	AWK='$(AWK)' SED='$(SED)' LC_ALL=C TZ=UTC; \
	export AWK SED LC_ALL TZ;

include tests/unit/local.mk
include tests/lint/local.mk
include tests/bench/local.mk
include tests/cli/local.mk
include tests/faults/local.mk
