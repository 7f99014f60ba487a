# tests/kernel: the real agent under a kernel that answers for newer calls as an
# older one does.
if GUEST
check_PROGRAMS += tests/kernel/without
tests_kernel_without_SOURCES = tests/kernel/without.c
endif
