# tests/faults: the real agent, in which calls fail.  The linker's --wrap puts
# wrap.c in front of them; faults.py says which and when.
if GUEST
FAULTS_WRAPPED = \
	-Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc \
	-Wl,--wrap=mmap -Wl,--wrap=strdup -Wl,--wrap=asprintf -Wl,--wrap=__asprintf_chk \
	-Wl,--wrap=json_object_new_object -Wl,--wrap=json_object_new_array \
	-Wl,--wrap=json_object_new_string \
	-Wl,--wrap=json_object_new_string_len -Wl,--wrap=json_object_new_int64 \
	-Wl,--wrap=json_object_new_boolean -Wl,--wrap=json_tokener_new_ex \
	-Wl,--wrap=json_object_to_json_string_length \
	-Wl,--wrap=json_object_object_add -Wl,--wrap=json_object_array_add \
	-Wl,--wrap=fork -Wl,--wrap=vfork -Wl,--wrap=pipe2 -Wl,--wrap=socket \
	-Wl,--wrap=accept4 -Wl,--wrap=open -Wl,--wrap=openat \
	-Wl,--wrap=__open_2 -Wl,--wrap=__openat_2 -Wl,--wrap=fopen \
	-Wl,--wrap=fsync -Wl,--wrap=fchmod -Wl,--wrap=linkat \
	-Wl,--wrap=renameat -Wl,--wrap=read -Wl,--wrap=__read_chk \
	-Wl,--wrap=pread -Wl,--wrap=__pread_chk -Wl,--wrap=write \
	-Wl,--wrap=poll -Wl,--wrap=__poll_chk -Wl,--wrap=strndup \
	-Wl,--wrap=syscall -Wl,--wrap=posix_openpt \
	-Wl,--wrap=fdopendir -Wl,--wrap=setmntent -Wl,--wrap=unlinkat \
	-Wl,--wrap=mkdirat -Wl,--wrap=symlinkat -Wl,--wrap=chmod \
	-Wl,--wrap=fchownat -Wl,--wrap=utimensat -Wl,--wrap=syncfs

check_PROGRAMS += tests/faults/agent
tests_faults_agent_SOURCES = tests/faults/wrap.c src/guest/main.c
tests_faults_agent_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
tests_faults_agent_LDADD = libguest.a $(PROTO_LIBS)
tests_faults_agent_LDFLAGS = $(AM_LDFLAGS) \
	$(FAULTS_WRAPPED)

TESTS += tests/faults/faults.sh
endif
dist_check_SCRIPTS += tests/faults/faults.sh tests/faults/faults.py
