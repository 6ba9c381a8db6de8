# SPDX-License-Identifier: MIT
# row: 73 env_inject
# expect: succeeded refused
# env: {arg}=/work/injected
# each: LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT GLIBC_TUNABLES PYTHONPATH PYTHONSTARTUP PYTHONHOME NODE_OPTIONS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS BASH_ENV ENV PATH IFS PERL5LIB RUBYOPT PHPRC GCONV_PATH
# never: injected
# layer: interface
# Variables that steer loaders and interpreters are dropped, or refused with a clear word.
tr '\0' '\n' < /proc/$$/environ
