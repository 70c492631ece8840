// SPDX-License-Identifier: MIT
// What the workload Engineering simulates: a pipelined processor with its memory, which fills a table with pseudo-random words,
// sorts it a little, and feeds it to a SHA-256 core, +blocks=N times from +seed=N; the digest is printed at the end.
`timescale 1ns / 1ns

// SHA-256, one round a clock; the chaining value stays from block to block. Words 0..15 message, 16 start, 17 busy, 24..31 state.
module sha256(input clock, input reset, input write, input [4:0] address, input [31:0] data, output reg [31:0] q);
	reg [31:0] w [0:15];
	reg [31:0] h [0:7];
	reg [31:0] k [0:63];
	reg [31:0] a, b, c, d, e, f, g, hh;
	reg [6:0] round;
	reg busy;
	integer i;

	function [31:0] rotate(input [31:0] x, input integer n);
		rotate = (x >> n) | (x << (32 - n));
	endfunction

	initial begin
		{k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]} =
			256'h428a2f98_71374491_b5c0fbcf_e9b5dba5_3956c25b_59f111f1_923f82a4_ab1c5ed5;
		{k[8], k[9], k[10], k[11], k[12], k[13], k[14], k[15]} =
			256'hd807aa98_12835b01_243185be_550c7dc3_72be5d74_80deb1fe_9bdc06a7_c19bf174;
		{k[16], k[17], k[18], k[19], k[20], k[21], k[22], k[23]} =
			256'he49b69c1_efbe4786_0fc19dc6_240ca1cc_2de92c6f_4a7484aa_5cb0a9dc_76f988da;
		{k[24], k[25], k[26], k[27], k[28], k[29], k[30], k[31]} =
			256'h983e5152_a831c66d_b00327c8_bf597fc7_c6e00bf3_d5a79147_06ca6351_14292967;
		{k[32], k[33], k[34], k[35], k[36], k[37], k[38], k[39]} =
			256'h27b70a85_2e1b2138_4d2c6dfc_53380d13_650a7354_766a0abb_81c2c92e_92722c85;
		{k[40], k[41], k[42], k[43], k[44], k[45], k[46], k[47]} =
			256'ha2bfe8a1_a81a664b_c24b8b70_c76c51a3_d192e819_d6990624_f40e3585_106aa070;
		{k[48], k[49], k[50], k[51], k[52], k[53], k[54], k[55]} =
			256'h19a4c116_1e376c08_2748774c_34b0bcb5_391c0cb3_4ed8aa4a_5b9cca4f_682e6ff3;
		{k[56], k[57], k[58], k[59], k[60], k[61], k[62], k[63]} =
			256'h748f82ee_78a5636f_84c87814_8cc70208_90befffa_a4506ceb_bef9a3f7_c67178f2;
	end

	wire [31:0] now = w[0];
	wire [31:0] s0 = rotate(w[1], 7) ^ rotate(w[1], 18) ^ (w[1] >> 3);
	wire [31:0] s1 = rotate(w[14], 17) ^ rotate(w[14], 19) ^ (w[14] >> 10);
	wire [31:0] next = now + s0 + w[9] + s1;
	wire [31:0] t1 = hh + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[round[5:0]] + now;
	wire [31:0] t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

	always @* begin
		if (address == 17)
			q = {31'b0, busy};
		else
			q = h[address[2:0]];
	end

	always @(posedge clock) begin
		if (reset) begin
			{h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]} <=
				256'h6a09e667_bb67ae85_3c6ef372_a54ff53a_510e527f_9b05688c_1f83d9ab_5be0cd19;
			busy <= 0;
		end else if (busy && round == 64) begin
			h[0] <= h[0] + a;
			h[1] <= h[1] + b;
			h[2] <= h[2] + c;
			h[3] <= h[3] + d;
			h[4] <= h[4] + e;
			h[5] <= h[5] + f;
			h[6] <= h[6] + g;
			h[7] <= h[7] + hh;
			busy <= 0;
		end else if (busy) begin
			hh <= g;
			g <= f;
			f <= e;
			e <= d + t1;
			d <= c;
			c <= b;
			b <= a;
			a <= t1 + t2;
			for (i = 0; i < 15; i = i + 1)
				w[i] <= w[i + 1];
			w[15] <= next;
			round <= round + 1;
		end else if (write && address == 16) begin
			a <= h[0];
			b <= h[1];
			c <= h[2];
			d <= h[3];
			e <= h[4];
			f <= h[5];
			g <= h[6];
			hh <= h[7];
			round <= 0;
			busy <= 1;
		end else if (write && address < 16) begin
			w[address[3:0]] <= data;
		end
	end
endmodule

// Four stages: fetch, decode with forwarding, execute with memory, write back. A taken branch drops the two behind it.
// Instruction: operation, destination, two sources of 4 bits each, 16 bits immediate.
module processor(input clock, input reset, input [31:0] seed, input [31:0] blocks, output reg halted);
	localparam ADD = 0, SUB = 1, AND = 2, XOR = 3, ADDI = 4, LUI = 5, LW = 6, SW = 7, BNE = 8, BLT = 9, MUL = 10, SHL = 11,
		SHR = 12, ORI = 13, HALT = 15;

	reg [31:0] code [0:63];
	reg [31:0] memory [0:1023];
	reg [31:0] file [0:15];
	reg [31:0] pc;
	integer n;

	// fetch
	reg [31:0] f_word;
	reg f_valid;
	// decode
	reg [3:0] x_op, x_rd;
	reg [31:0] x_a, x_b, x_imm;
	reg x_valid;
	// execute
	reg [31:0] result;
	reg [3:0] w_rd;
	reg [31:0] w_value;
	reg w_valid;

	wire [31:0] sha_q;
	wire [31:0] at = x_a + {16'b0, x_imm[15:0]};
	wire is_sha = at[15];
	wire store = x_valid && x_op == SW;
	sha256 sha(clock, reset, store && is_sha, at[4:0], x_b, sha_q);

	wire taken = x_valid && (x_op == BNE && x_a != x_b || x_op == BLT && x_a < x_b);
	wire writes = x_valid && x_rd != 0 && x_op != SW && x_op != BNE && x_op != BLT && x_op != HALT;

	always @* begin
		case (x_op)
		ADD: result = x_a + x_b;
		SUB: result = x_a - x_b;
		AND: result = x_a & x_b;
		XOR: result = x_a ^ x_b;
		ADDI: result = x_a + x_imm;
		LUI: result = {x_imm[15:0], 16'b0};
		LW: result = is_sha ? sha_q : memory[at[9:0]];
		MUL: result = x_a * x_b;
		SHL: result = x_a << x_imm[4:0];
		SHR: result = x_a >> x_imm[4:0];
		ORI: result = x_a | {16'b0, x_imm[15:0]};
		default: result = 0;
		endcase
	end

	function [31:0] operand(input [3:0] r);
		if (r == 0)
			operand = 0;
		else if (writes && x_rd == r)
			operand = result;
		else if (w_valid && w_rd == r)
			operand = w_value;
		else
			operand = file[r];
	endfunction

	always @(posedge clock) begin
		if (reset) begin
			pc <= 0;
			f_valid <= 0;
			x_valid <= 0;
			w_valid <= 0;
			halted <= 0;
			x_op <= 0;
			x_rd <= 0;
			x_a <= 0;
			x_b <= 0;
			x_imm <= 0;
			for (n = 0; n < 16; n = n + 1)
				file[n] <= 0;
			file[1] <= seed;
			file[2] <= blocks;
		end else begin
			pc <= taken ? x_imm : pc + 1;
			f_word <= code[pc[5:0]];
			f_valid <= !taken;
			x_op <= f_word[31:28];
			x_rd <= f_word[27:24];
			x_a <= operand(f_word[23:20]);
			x_b <= operand(f_word[19:16]);
			x_imm <= {{16{f_word[15]}}, f_word[15:0]};
			x_valid <= f_valid && !taken;
			w_rd <= x_rd;
			w_value <= result;
			w_valid <= writes;
			if (w_valid)
				file[w_rd] <= w_value;
			if (store && !is_sha)
				memory[at[9:0]] <= x_b;
			if (x_valid && x_op == HALT)
				halted <= 1;
		end
	end

	task put(input integer op, input integer rd, input integer ra, input integer rb, input integer imm);
		begin
			code[n] = {op[3:0], rd[3:0], ra[3:0], rb[3:0], imm[15:0]};
			n = n + 1;
		end
	endtask

	integer fill, sort, skip, send, poll, again;
	initial begin
		n = 0;
		put(LUI, 10, 0, 0, 16'h0019);	// r10 = 1664525
		put(ORI, 10, 10, 0, 16'h660d);
		put(LUI, 11, 0, 0, 16'h3c6e);	// r11 = 1013904223
		put(ORI, 11, 11, 0, 16'hf35f);
		put(ADDI, 12, 0, 0, 64);
		put(ADDI, 13, 0, 0, 63);
		put(ADDI, 14, 0, 0, 16);
		again = n;
		put(ADDI, 3, 0, 0, 0);
		fill = n;
		put(MUL, 1, 1, 10, 0);
		put(ADD, 1, 1, 11, 0);
		put(SHR, 4, 1, 0, 7);
		put(XOR, 4, 4, 1, 0);
		put(SW, 0, 3, 4, 0);
		put(ADDI, 3, 3, 0, 1);
		put(BNE, 0, 3, 12, fill);
		put(ADDI, 3, 0, 0, 0);
		sort = n;
		put(LW, 5, 3, 0, 0);
		put(LW, 6, 3, 0, 1);
		skip = n + 3;
		put(BLT, 0, 5, 6, skip);
		put(SW, 0, 3, 6, 0);
		put(SW, 0, 3, 5, 1);
		put(ADDI, 3, 3, 0, 1);
		put(BNE, 0, 3, 13, sort);
		put(ADDI, 3, 0, 0, 0);
		send = n;
		put(LW, 5, 3, 0, 48);
		put(SW, 0, 3, 5, 16'h8000);
		put(ADDI, 3, 3, 0, 1);
		put(BNE, 0, 3, 14, send);
		put(SW, 0, 0, 0, 16'h8010);
		poll = n;
		put(LW, 5, 0, 0, 16'h8011);
		put(BNE, 0, 5, 0, poll);
		put(ADDI, 2, 2, 0, -1);
		put(BNE, 0, 2, 0, again);
		put(HALT, 0, 0, 0, 0);
		for (n = n; n < 64; n = n + 1)
			code[n] = {4'd15, 28'd0};
	end
endmodule

module top;
	reg clock = 0, reset = 1;
	reg [31:0] seed, blocks;
	wire halted;
	integer cycles = 0;

	processor cpu(clock, reset, seed, blocks, halted);

	always #5 clock = !clock;

	always @(posedge clock) begin
		cycles = cycles + 1;
		if (halted === 1) begin
			$display("%08x%08x%08x%08x%08x%08x%08x%08x seed %0d, %0d blocks, %0d clocks", cpu.sha.h[0], cpu.sha.h[1],
				cpu.sha.h[2], cpu.sha.h[3], cpu.sha.h[4], cpu.sha.h[5], cpu.sha.h[6], cpu.sha.h[7], seed, blocks, cycles);
			$finish(0);
		end
	end

	initial begin
		if (!$value$plusargs("seed=%d", seed))
			seed = 1;
		if (!$value$plusargs("blocks=%d", blocks))
			blocks = 1;
		#20 reset = 0;
	end
endmodule
