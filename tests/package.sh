#!/bin/sh
# package.sh DIR: writes DIR/wengert.pc for pkg-config, DIR/wengert-config.cmake and its version file for CMake's
# find_package, from VERSION, PREFIX, LIBDIR, INCLUDEDIR, LIBS (what programs link with besides) and SHARED (the
# shared library's file name, empty where there is none) in the environment. An installed tree may be moved as a
# whole: places below PREFIX are found from the files' own.
set -eu
dir=$1
mkdir -p "$dir"

# below PATH: its part below PREFIX, with the slash; nothing, and false, where it is not there.
below() { case $1 in "$PREFIX"/*) printf '%s' "${1#"$PREFIX"}" ;; *) return 1 ;; esac; }

# LIBDIR's way up to PREFIX: ../.. for /lib/x86_64-linux-gnu.
if lib=$(below "$LIBDIR"); then up=/$(printf '%s' "${lib#/}" | sed 's|[^/][^/]*|..|g'); else up=; fi
place() { # place PATH ROOT: PATH as ROOT, a variable, says it
    if [ -n "$up" ] && part=$(below "$1"); then printf '%s' "$2$part"; else printf '%s' "$1"; fi
}

# pkg-config takes flags apart at blanks, and writes ${pcfiledir} with a backslash before each.
escaped() { sed 's/[ \\"'\'']/\\&/g'; }
cat > "$dir/wengert.pc" << END
prefix=$(if [ -n "$up" ]; then echo "\${pcfiledir}/..$up"; else printf '%s' "$PREFIX" | escaped; fi)
includedir=$(place "$INCLUDEDIR" "\${prefix}" | escaped)
libdir=$(place "$LIBDIR" "\${prefix}" | escaped)

Name: wengert
Description: automatic differentiation and small models in C
Version: $VERSION
Cflags: -I\${includedir}
Libs: -L\${libdir} -lwengert
Libs.private: $LIBS
END

libraries=$(printf '%s' "$LIBS" | sed 's/-l//g; s/  */;/g')
cat > "$dir/wengert-config.cmake" << END
# find_package(wengert): the targets wengert::wengert, shared where there is a shared library, and wengert::static.
if(TARGET wengert::wengert)
  return()
endif()
set(wengert_lib "\${CMAKE_CURRENT_LIST_DIR}/../..")
set(wengert_include "$(place "$INCLUDEDIR" "\${wengert_lib}$up")")

add_library(wengert::static STATIC IMPORTED)
set_target_properties(wengert::static PROPERTIES
  IMPORTED_LOCATION "\${wengert_lib}/libwengert.a"
  INTERFACE_INCLUDE_DIRECTORIES "\${wengert_include}"
  INTERFACE_LINK_LIBRARIES "$libraries")
END
if [ -n "$SHARED" ]; then
    cat >> "$dir/wengert-config.cmake" << END
add_library(wengert::wengert SHARED IMPORTED)
set_target_properties(wengert::wengert PROPERTIES
  IMPORTED_LOCATION "\${wengert_lib}/$SHARED"
  INTERFACE_INCLUDE_DIRECTORIES "\${wengert_include}")
END
else
    cat >> "$dir/wengert-config.cmake" << END
add_library(wengert::wengert INTERFACE IMPORTED)
set_target_properties(wengert::wengert PROPERTIES INTERFACE_LINK_LIBRARIES wengert::static)
END
fi

# Before 1.0 only versions with the same minor number go together.
cat > "$dir/wengert-config-version.cmake" << END
set(PACKAGE_VERSION "$VERSION")
if("\${PACKAGE_FIND_VERSION_MAJOR}.\${PACKAGE_FIND_VERSION_MINOR}" STREQUAL "${VERSION%.*}"
   AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE TRUE)
endif()
if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
  set(PACKAGE_VERSION_EXACT TRUE)
endif()
END
