# tests/cli: the programs as they are, without libvirt's daemon and QEMU.
# They need bash, as the end-to-end tests do, whose helpers they use.
CLI_TESTS = \
	tests/cli/config.sh \
	tests/cli/policy.sh \
	tests/cli/damage.sh \
	tests/cli/doctor.sh \
	tests/cli/domains.sh \
	tests/cli/peer.sh \
	tests/cli/once.sh \
	tests/cli/exec.sh \
	tests/cli/files.sh \
	tests/cli/hostile.sh \
	tests/cli/tree.sh \
	tests/cli/lock.sh \
	tests/cli/words.sh \
	tests/cli/completion.sh
dist_check_SCRIPTS += $(CLI_TESTS) tests/peer/agent.py tests/peer/files.py \
	tests/peer/signed.py tests/peer/flip.py tests/peer/cut.py
EXTRA_DIST += tests/cli/lib.sh
TESTS += $(CLI_TESTS)
