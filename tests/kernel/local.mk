# tests/kernel: the real agent under a kernel that answers for newer calls as an
# older one does.
TEST_EXTENSIONS += .kernel
KERNEL_LOG_DRIVER = $(TAP_DRIVER)
KERNEL_LOG_COMPILER = bash $(srcdir)/tests/kernel/run.sh

if GUEST
check_PROGRAMS += tests/kernel/without tests/kernel/agent
tests_kernel_without_SOURCES = tests/kernel/without.c
tests_kernel_agent_SOURCES = tests/kernel/ignore.c src/guest/main.c
tests_kernel_agent_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS) $(YAML_CFLAGS) \
	$(CRYPTO_CFLAGS)
tests_kernel_agent_LDADD = libguest.a $(PROTO_LIBS)
tests_kernel_agent_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=open -Wl,--wrap=openat -Wl,--wrap=__open_2 \
	-Wl,--wrap=__openat_2 -Wl,--wrap=clock_gettime

if HOST
# The files are empty; run.sh reads their names.
KERNEL_TESTS = \
	tests/kernel/each-1-of-3.kernel \
	tests/kernel/each-2-of-3.kernel \
	tests/kernel/each-3-of-3.kernel \
	tests/kernel/refused-attack.kernel \
	tests/kernel/refused-files.kernel \
	tests/kernel/refused-user.kernel \
	tests/kernel/ignored-attack.kernel \
	tests/kernel/ignored-cp.kernel \
	tests/kernel/ignored-files.kernel \
	tests/kernel/ignored-kept.kernel \
	tests/kernel/ignored-params.kernel \
	tests/kernel/ignored-user.kernel
KERNEL_SERIAL_TESTS = tests/kernel/ignored-policy.kernel
TESTS += $(KERNEL_TESTS)
SERIAL_TESTS += $(KERNEL_SERIAL_TESTS)
CLEANFILES += $(KERNEL_TESTS) $(KERNEL_SERIAL_TESTS)

$(KERNEL_TESTS) $(KERNEL_SERIAL_TESTS):
	$(AM_V_GEN)$(MKDIR_P) $(@D) && : > $@
endif
endif
dist_check_SCRIPTS += tests/kernel/run.sh tests/kernel/each.sh
