#!/bin/bash
# SPDX-License-Identifier: MIT
mkdir -p build; touch "$1"
