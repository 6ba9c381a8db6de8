% SPDX-License-Identifier: MIT
pause(1000000000);
