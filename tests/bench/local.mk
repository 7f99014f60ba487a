# tests/bench: measurements, in a guest that `./quickstart bench` boots.  Its
# programs are check programs so that `make check` notices when one rots.
if HOST
if GUEST
BENCH_TOOLS = \
	tests/bench/rawport \
	tests/bench/channel \
	tests/bench/first \
	tests/bench/readxml \
	tests/bench/qemuga
check_PROGRAMS += $(BENCH_TOOLS)

tests_bench_channel_LDADD = $(HOST_LIBS)
tests_bench_first_LDADD = $(PROTO_LIBS)
tests_bench_readxml_LDADD = $(LIBVIRT_LIBS)
# libvirt-qemu comes with libvirt itself
tests_bench_qemuga_LDADD = $(PROTO_LIBS) $(LIBVIRT_LIBS) -lvirt-qemu

bench: $(BENCH_TOOLS) $(bin_PROGRAMS)
	BENCH_DIR='$(abs_top_builddir)/tests/bench' \
		python3 '$(srcdir)/tests/bench/bench.py'
.PHONY: bench
endif
endif
EXTRA_DIST += tests/bench/bench.py
