# tests/faults: the real agent, in which calls fail.  The linker's --wrap puts
# wrap.c in front of them; faults.py says which and when.
TEST_EXTENSIONS += .faults
FAULTS_LOG_DRIVER = $(TAP_DRIVER)
FAULTS_LOG_COMPILER = bash $(srcdir)/tests/faults/faults.sh

if GUEST
FAULTS_WRAPPED = \
	-Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=mmap -Wl,--wrap=strdup -Wl,--wrap=strndup \
	-Wl,--wrap=asprintf -Wl,--wrap=__asprintf_chk -Wl,--wrap=realpath \
	-Wl,--wrap=__realpath_chk -Wl,--wrap=fdopen -Wl,--wrap=fdopendir \
	-Wl,--wrap=json_object_new_object -Wl,--wrap=json_object_new_array \
	-Wl,--wrap=json_object_new_string \
	-Wl,--wrap=json_object_new_string_len \
	-Wl,--wrap=json_object_new_int64 -Wl,--wrap=json_object_new_boolean \
	-Wl,--wrap=json_object_new_double_s -Wl,--wrap=json_tokener_new_ex \
	-Wl,--wrap=json_object_to_json_string_length \
	-Wl,--wrap=json_object_object_add -Wl,--wrap=json_object_array_add \
	-Wl,--wrap=printbuf_memappend -Wl,--wrap=EVP_MD_CTX_new \
	-Wl,--wrap=EVP_DigestInit_ex -Wl,--wrap=EVP_MD_CTX_copy_ex \
	-Wl,--wrap=HMAC -Wl,--wrap=yaml_parser_initialize -Wl,--wrap=fork \
	-Wl,--wrap=vfork -Wl,--wrap=syscall -Wl,--wrap=execve \
	-Wl,--wrap=waitpid -Wl,--wrap=pipe2 -Wl,--wrap=socket \
	-Wl,--wrap=accept4 -Wl,--wrap=open -Wl,--wrap=openat \
	-Wl,--wrap=__open_2 -Wl,--wrap=__openat_2 -Wl,--wrap=fopen \
	-Wl,--wrap=opendir -Wl,--wrap=setmntent -Wl,--wrap=dup2 \
	-Wl,--wrap=fcntl -Wl,--wrap=signalfd -Wl,--wrap=inotify_init1 \
	-Wl,--wrap=posix_openpt -Wl,--wrap=grantpt -Wl,--wrap=unlockpt \
	-Wl,--wrap=ptsname_r -Wl,--wrap=__ptsname_r_chk -Wl,--wrap=getpwnam \
	-Wl,--wrap=getpwuid -Wl,--wrap=getgrnam -Wl,--wrap=getgrgid \
	-Wl,--wrap=fsync -Wl,--wrap=fchmod \
	-Wl,--wrap=chmod -Wl,--wrap=fchown -Wl,--wrap=fchownat \
	-Wl,--wrap=futimens -Wl,--wrap=utimensat -Wl,--wrap=unlink \
	-Wl,--wrap=unlinkat -Wl,--wrap=chdir -Wl,--wrap=bind \
	-Wl,--wrap=ftruncate -Wl,--wrap=linkat -Wl,--wrap=rename \
	-Wl,--wrap=renameat -Wl,--wrap=mkdirat -Wl,--wrap=symlinkat \
	-Wl,--wrap=listxattr -Wl,--wrap=getxattr -Wl,--wrap=llistxattr \
	-Wl,--wrap=lgetxattr -Wl,--wrap=fsetxattr \
	-Wl,--wrap=fremovexattr \
	-Wl,--wrap=lseek -Wl,--wrap=readdir -Wl,--wrap=read \
	-Wl,--wrap=__read_chk -Wl,--wrap=pread -Wl,--wrap=__pread_chk \
	-Wl,--wrap=write -Wl,--wrap=pwrite -Wl,--wrap=poll \
	-Wl,--wrap=__poll_chk

check_PROGRAMS += tests/faults/agent
tests_faults_agent_SOURCES = tests/faults/wrap.c src/guest/main.c
tests_faults_agent_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS) $(YAML_CFLAGS) \
	$(CRYPTO_CFLAGS)
tests_faults_agent_LDADD = libguest.a $(PROTO_LIBS)
tests_faults_agent_LDFLAGS = $(AM_LDFLAGS) \
	$(FAULTS_WRAPPED)

# Each part is a test of its own, and a long one several: PART-K-of-N takes the
# calls K, K+N, K+2N, …  The files are empty; their names say it all.
FAULTS_TESTS = \
	tests/faults/complete.faults \
	tests/faults/routes.faults \
	tests/faults/memory-1-of-4.faults \
	tests/faults/memory-2-of-4.faults \
	tests/faults/memory-3-of-4.faults \
	tests/faults/memory-4-of-4.faults \
	tests/faults/process.faults \
	tests/faults/disk.faults \
	tests/faults/read.faults \
	tests/faults/short-1-of-2.faults \
	tests/faults/short-2-of-2.faults \
	tests/faults/start.faults
TESTS += $(FAULTS_TESTS)
CLEANFILES += $(FAULTS_TESTS)

$(FAULTS_TESTS):
	$(AM_V_GEN)$(MKDIR_P) $(@D) && : > $@
endif
dist_check_SCRIPTS += tests/faults/faults.sh tests/faults/faults.py \
	tests/faults/complete.py
