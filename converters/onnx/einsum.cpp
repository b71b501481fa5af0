#include <algorithm>
#include <map>

#include "converters/onnx/op.h"
#include "converters/onnx/table.h"

// Einsum in transposes, products and sums, one operand after another.
namespace skiff::onnx {
namespace {

/// Labels of a term; letters, and numbers below kEllipsis + 8 for the axes an ellipsis stands for,
/// counted from the last one.
using Labels = std::vector<int>;
constexpr int kEllipsis = 256;

struct Operand {
  ValueId value;
  Labels labels;
};

bool has(const Labels& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

int place(const Labels& labels, int label) {
  return static_cast<int>(std::find(labels.begin(), labels.end(), label) - labels.begin());
}

Labels parse_term(const Op& op, const std::string& term, int ellipsis_axes) {
  Labels labels;
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (std::isalpha(static_cast<unsigned char>(term[i]))) {
      labels.push_back(term[i]);
      continue;
    }
    op.check(term.compare(i, 3, "...") == 0, "equation has the term '", term, "'");
    for (int axis = ellipsis_axes; axis > 0; --axis) labels.push_back(kEllipsis + axis);
    i += 2;
  }
  return labels;
}

struct Equation {
  std::vector<std::string> terms;
  std::string result;
  bool has_result = false;
};

Equation split_equation(Op& op) {
  std::string text = op.text("equation", "");
  text.erase(std::remove(text.begin(), text.end(), ' '), text.end());
  Equation equation;
  const std::size_t arrow = text.find("->");
  equation.has_result = arrow != std::string::npos;
  if (equation.has_result) equation.result = text.substr(arrow + 2);
  const std::string left = text.substr(0, arrow);
  for (std::size_t begin = 0; begin <= left.size();) {
    const std::size_t comma = std::min(left.find(',', begin), left.size());
    equation.terms.push_back(left.substr(begin, comma - begin));
    begin = comma + 1;
  }
  op.check(static_cast<int>(equation.terms.size()) == op.inputs(), "equation '", text, "' has ",
           equation.terms.size(), " terms for ", op.inputs(), " operands");
  return equation;
}

ValueId ordered(Op& op, const Operand& x, const Labels& order) {
  Ints perm;
  for (int label : order) perm.push_back(place(x.labels, label));
  return op.b.transpose(x.value, perm);
}

/// A label twice in one term is the diagonal: its axes go last, become one, and every (n + 1)-th
/// element stays.
void take_diagonals(Op& op, Operand& x) {
  for (std::size_t i = 0; i < x.labels.size(); ++i) {
    const auto again = std::find(x.labels.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                 x.labels.end(), x.labels[i]);
    if (again == x.labels.end()) continue;
    const auto j = static_cast<std::size_t>(again - x.labels.begin());
    Ints perm;
    Labels rest;
    Shape merged;
    for (std::size_t axis = 0; axis < x.labels.size(); ++axis) {
      if (axis == i || axis == j) continue;
      perm.push_back(static_cast<std::int64_t>(axis));
      rest.push_back(x.labels[axis]);
      merged.push_back(op.b.dim(x.value, static_cast<int>(axis)));
    }
    const std::int64_t extent = op.b.dim(x.value, static_cast<int>(i));
    op.check(extent == op.b.dim(x.value, static_cast<int>(j)), "a diagonal of ",
             op.b.shape(x.value), " is asked for");
    perm.push_back(static_cast<std::int64_t>(i));
    perm.push_back(static_cast<std::int64_t>(j));
    merged.push_back(extent * extent);
    const ValueId flat = op.b.reshape(op.b.transpose(x.value, perm), merged);
    Ints sizes = to_ints(merged), steps(sizes.size(), 1);
    sizes.back() = extent;
    steps.back() = extent + 1;
    rest.push_back(x.labels[i]);
    x = {op.b.slice(flat, Ints(sizes.size(), 0), sizes, steps), rest};
    i = static_cast<std::size_t>(-1);  // places changed: look again from the start
  }
}

void sum_out(Op& op, Operand& x, const Labels& needed) {
  Ints axes;
  Labels kept;
  for (std::size_t axis = 0; axis < x.labels.size(); ++axis) {
    if (has(needed, x.labels[axis]))
      kept.push_back(x.labels[axis]);
    else
      axes.push_back(static_cast<std::int64_t>(axis));
  }
  if (axes.empty()) return;
  x = {op.b.reduce(fb::ReduceFunction::sum, x.value, axes, false), kept};
}

/// Gives both operands the larger extent where one of them has 1.
void match_extents(Op& op, Operand& a, Operand& b) {
  Shape wide_a = op.b.shape(a.value), wide_b = op.b.shape(b.value);
  for (std::size_t i = 0; i < a.labels.size(); ++i) {
    if (!has(b.labels, a.labels[i])) continue;
    std::int64_t& left = wide_a[static_cast<int>(i)];
    std::int64_t& right = wide_b[place(b.labels, a.labels[i])];
    op.check(left == right || left == 1 || right == 1, "an axis has the extents ", left, " and ",
             right);
    left = right = left == 1 ? right : left;
  }
  a.value = op.b.expand(a.value, wide_a);
  b.value = op.b.expand(b.value, wide_b);
}

/// The product of two operands, summed over labels that nothing else needs.
Operand multiply(Op& op, Operand a, Operand b, const Labels& needed) {
  match_extents(op, a, b);
  Labels batch, summed, rows, columns;
  for (int label : a.labels) {
    if (!has(b.labels, label))
      rows.push_back(label);
    else
      (has(needed, label) ? batch : summed).push_back(label);
  }
  for (int label : b.labels)
    if (!has(a.labels, label)) columns.push_back(label);
  const auto joined = [](std::initializer_list<Labels> parts) {
    Labels all;
    for (const Labels& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  };
  const Labels a_order = joined({batch, rows, summed}), b_order = joined({batch, summed, columns});
  a = {ordered(op, a, a_order), a_order};
  b = {ordered(op, b, b_order), b_order};
  const int nb = static_cast<int>(batch.size()), nr = static_cast<int>(rows.size()),
            ns = static_cast<int>(summed.size());
  const Shape sa = op.b.shape(a.value), sb = op.b.shape(b.value);
  Ints result(sa.begin(), sa.begin() + nb + nr);
  result.insert(result.end(), sb.begin() + nb + ns, sb.end());
  const std::int64_t m = sa.elements(nb, nb + nr), k = sb.elements(nb, nb + ns),
                     n = sb.elements(nb + ns, sb.rank()), groups = sa.elements(0, nb);
  const DType dtype = op.b.dtype(a.value);
  ValueId y;
  if (dtype == DType::float32 || dtype == DType::float16) {
    y = op.b.matmul(op.b.reshape(a.value, {groups, m, k}), op.b.reshape(b.value, {groups, k, n}));
  } else {
    const ValueId products =
        op.b.binary(fb::BinaryFunction::mul, op.b.reshape(a.value, {groups, m, k, 1}),
                    op.b.reshape(b.value, {groups, 1, k, n}));
    y = op.b.reduce(fb::ReduceFunction::sum, products, {2}, false);
  }
  return {op.b.reshape(y, to_shape(result)), joined({batch, rows, columns})};
}

/// Without an arrow: the ellipsis, then every label that stands once, in alphabetical order.
Labels implied_result(const std::vector<Operand>& operands, int ellipsis_axes) {
  std::map<int, int> count;
  for (const Operand& operand : operands)
    for (int label : operand.labels) ++count[label];
  Labels result;
  for (int axis = ellipsis_axes; axis > 0; --axis) result.push_back(kEllipsis + axis);
  for (const auto& [label, times] : count)
    if (times == 1 && label < kEllipsis) result.push_back(label);
  return result;
}

int ellipsis_of(Op& op, const Equation& equation) {
  int most = 0;
  for (int i = 0; i < op.inputs(); ++i) {
    const std::string& term = equation.terms[static_cast<std::size_t>(i)];
    const bool open = term.find("...") != std::string::npos;
    const int letters = static_cast<int>(term.size()) - (open ? 3 : 0);
    op.check(open ? letters <= op.rank(i) : letters == op.rank(i), "term '", term,
             "' does not fit ", op.shape(i));
    most = std::max(most, op.rank(i) - letters);
  }
  return most;
}

void import_einsum(Op& op) {
  const Equation equation = split_equation(op);
  const int ellipsis_axes = ellipsis_of(op, equation);
  std::vector<Operand> operands;
  for (int i = 0; i < op.inputs(); ++i) {
    const std::string& term = equation.terms[static_cast<std::size_t>(i)];
    const int letters = static_cast<int>(term.size()) - 3;
    const int own = term.find("...") == std::string::npos ? 0 : op.rank(i) - letters;
    operands.push_back({op.in(i), parse_term(op, term, own)});
  }
  const Labels result = equation.has_result ? parse_term(op, equation.result, ellipsis_axes)
                                            : implied_result(operands, ellipsis_axes);
  for (Operand& operand : operands) take_diagonals(op, operand);
  for (int label : result)
    op.check(std::any_of(operands.begin(), operands.end(),
                         [&](const Operand& x) { return has(x.labels, label); }),
             "the result of the equation has a label that no operand has");
  Operand all = operands[0];
  for (std::size_t i = 0; i < operands.size(); ++i) {
    Labels needed = result;  // by the result and by later operands
    for (std::size_t j = i + 1; j < operands.size(); ++j)
      needed.insert(needed.end(), operands[j].labels.begin(), operands[j].labels.end());
    if (i > 0) {
      Labels own = needed;
      own.insert(own.end(), all.labels.begin(), all.labels.end());
      sum_out(op, operands[i], own);
      all = multiply(op, all, operands[i], needed);
    }
    sum_out(op, all, needed);
  }
  op.out(ordered(op, all, result));
}

constexpr Adapter kAdapters[] = {{"Einsum", {12}, import_einsum}};

}  // namespace

std::span<const Adapter> einsum_adapters() noexcept { return kAdapters; }

}  // namespace skiff::onnx
