# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# The platforms that the tests run on beside this machine's own, and their
# roots: made once, kept with the images of the guests, and never written to.
# A line is a platform; its packages are those that tests/vm/needed.sh names.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in common packages needed; do
	# shellcheck source=/dev/null
	. "$here/../vm/$part.sh" || exit
done

# NAME, distribution, suite, what makes its root, packages
platform_table() {
	cat <<-END
		trixie debian trixie mmdebstrap $(tr -s '[:space:]' ' ' <<<"$NEEDED_BUILD $NEEDED_CHECK mount")
	END
}

platform_names() { platform_table | cut -d ' ' -f 1; }

# platform_line NAME: its fields, or an error that names those there are.
platform_line() {
	platform_table | awk -v name="$1" '$1 == name { print; found = 1 } END { exit !found }' ||
		vm_error "there is no platform '$1'; known: $(platform_names | paste -sd ' ')"
}

platform_folder() { echo "$VM_DIR/$1"; }

# platform_root NAME: make it, unless it is there with just these packages.
platform_root() {
	local line name distribution suite maker packages
	line=$(platform_line "$1") || return
	read -r name distribution suite maker packages <<<"$line"
	vm_cached "$(platform_folder "$name")/root" "$(vm_key "$line" "$(uname -m)" 1)" \
		"platform_make_$maker" "$distribution" "$suite" "$packages"
}

# platform_sources DISTRIBUTION SUITE: where this machine gets its own packages
# from, as far as that has the other suite. Nothing for another distribution:
# mmdebstrap knows where those are.
platform_sources() {
	local own
	own=$(vm_os_release VERSION_CODENAME)
	[ "$(vm_os_release ID)" = "$1" ] || return 0
	[ -n "$(vm_sources)" ] || vm_as_root apt-get -q update >&2 || return
	vm_sources | awk -v own="$own" -v suite="$2" '
		{ for (i = 1; i < NF; i++) if ($i == own || index($i, own "-") == 1)
			$i = suite substr($i, length(own) + 1) }
		1'
}

# platform_make_mmdebstrap DISTRIBUTION SUITE PACKAGES OUT. Without what nobody
# reads there: manuals, other languages, and the options of this machine's apt
# (a proxy may carry a password).
platform_make_mmdebstrap() {
	local suite=$2 packages out=$4 sources
	packages=$(sed 's/|[^ ]*//g; s/  */,/g' <<<"$3")
	sources=$(platform_sources "$1" "$2") || return
	vm_apt_options >"$out.apt"
	# shellcheck disable=SC2016 # $1 is for the hook's shell
	vm_low_descriptors vm_as_root mmdebstrap --mode=root --variant=essential \
		--include="$packages" --format=directory \
		--aptopt="$out.apt" --aptopt='Acquire::Languages "none"' \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook='rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap' \
		"$suite" "$out" ${sources:+-} <<<"$sources" >&2
	local rc=$?
	rm -f "$out.apt"
	return "$rc"
}
