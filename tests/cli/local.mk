# tests/cli: the programs as they are, without libvirt's daemon and QEMU.
# They need bash, as the end-to-end tests do, whose helpers they use.
CLI_TESTS = \
	tests/cli/attack.sh \
	tests/cli/config.sh \
	tests/cli/custom.sh \
	tests/cli/cp.sh \
	tests/cli/closed.sh \
	tests/cli/damage.sh \
	tests/cli/domains.sh \
	tests/cli/patterns.sh \
	tests/cli/peer.sh \
	tests/cli/older.sh \
	tests/cli/once.sh \
	tests/cli/files.sh \
	tests/cli/hostile.sh \
	tests/cli/kept.sh \
	tests/cli/stdio.sh \
	tests/cli/params.sh \
	tests/cli/ready.sh \
	tests/cli/rights.sh \
	tests/cli/lies.sh \
	tests/cli/many.sh \
	tests/cli/limit.sh \
	tests/cli/service.sh \
	tests/cli/specified.sh \
	tests/cli/times.sh \
	tests/cli/tree.sh \
	tests/cli/untrue.sh \
	tests/cli/user.sh \
	tests/cli/words.sh \
	tests/cli/completion.sh
CLI_SERIAL_TESTS = \
	tests/cli/doctor.sh \
	tests/cli/exec.sh \
	tests/cli/lock.sh \
	tests/cli/policy.sh
dist_check_SCRIPTS += $(CLI_TESTS) $(CLI_SERIAL_TESTS) tests/peer/agent.py tests/peer/files.py \
	tests/peer/lies.py tests/peer/specified.py tests/peer/untrue.py \
	tests/peer/signed.py tests/peer/flip.py tests/peer/cut.py
EXTRA_DIST += tests/cli/lib.sh tests/cli/accounts.sh tests/cli/cp.py tests/cli/patterns.py tests/cli/rights.py
TESTS += $(CLI_TESTS)
SERIAL_TESTS += $(CLI_SERIAL_TESTS)
