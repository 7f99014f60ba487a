# tests/faults: the real agent, in which calls fail.  The linker's --wrap puts
# wrap.c in front of them; faults.py says which and when.
if GUEST
FAULTS_WRAPPED = \
	malloc calloc realloc strdup asprintf __asprintf_chk \
	json_object_new_object json_object_new_array json_object_new_string \
	json_object_new_string_len json_object_new_int64 \
	json_object_new_boolean json_tokener_new_ex \
	json_object_to_json_string_length json_object_object_add \
	json_object_array_add \
	fork vfork pipe2 socket accept4 open openat __open_2 __openat_2 fopen \
	fsync fchmod linkat renameat \
	read __read_chk pread __pread_chk write poll __poll_chk

check_PROGRAMS += tests/faults/agent
tests_faults_agent_SOURCES = tests/faults/wrap.c src/guest/main.c
tests_faults_agent_CFLAGS = $(AM_CFLAGS) $(JSON_CFLAGS)
tests_faults_agent_LDADD = libguest.a $(PROTO_LIBS)
tests_faults_agent_LDFLAGS = $(AM_LDFLAGS) \
	$(FAULTS_WRAPPED:%=-Wl,--wrap=%)

TESTS += tests/faults/faults.sh
endif
dist_check_SCRIPTS += tests/faults/faults.sh tests/faults/faults.py
